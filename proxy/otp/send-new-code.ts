import type { Answer } from '../answer.ts'
import type { Channel } from '../sms/sender.ts'
import { auditSend } from './audit-send.ts'
import type { StoredChallenge } from './challenge-record.ts'
import { challengeState } from './challenge-state.ts'
import { type ChosenNumber, issueChallenge } from './issue-challenge.ts'
import { backToCodePage, codePage, keptPage, refusedPage } from './otp-answers.ts'
import { sendPartsOf, type Visit } from './visit.ts'

/** Makes a code in place of `previous`, sends it or calls, and shows the page for it. */
export async function sendNewCode(
  visit: Visit,
  number: ChosenNumber,
  previous: StoredChallenge | undefined,
  channel: Channel,
): Promise<Answer> {
  const { context, session, now, exchange } = visit
  const { config, random } = context
  const parts = { ...sendPartsOf(visit, channel), random, ...config.otp }
  const issued = await issueChallenge(parts, session, number, previous, now)
  if (issued.kind === 'wait' || issued.kind === 'limited') {
    return refusedPage(visit, number, previous, issued, channel)
  }
  if (issued.kind === 'kept') {
    auditSend(visit, issued.unsent, 'new')
    return keptPage(visit, issued.previous, issued.unsent)
  }
  const { challenge } = issued
  if (issued.kind === 'sent') auditSend(visit, challenge, 'new')
  if (exchange.incoming.method === 'POST') return backToCodePage(visit)
  const state = challengeState({ challenge, newest: true }, false, now)
  return codePage(visit, 200, { ...challenge, ...state })
}
