import { type Answer, redirectAnswer } from '../answer.ts'
import type { PhoneLookup } from '../phone/phone-directory.ts'
import type { Channel } from '../sms/sender.ts'
import { auditSend } from './audit-send.ts'
import { readChallenge, type StoredChallenge } from './challenge-record.ts'
import { lookUpNumbers } from './look-up-numbers.ts'
import {
  backToCodePage,
  codePath,
  directoryPage,
  lockedPage,
  noNumberPage,
  refusedPage,
} from './otp-answers.ts'
import { sendCode, waiveWait } from './send-code.ts'
import { sendNewCode } from './send-new-code.ts'
import { isLive, readLock } from './verify-code.ts'
import { sendPartsOf, type Visit } from './visit.ts'

/**
 * `POST /_stepgate/otp/resend`, and `…/call` for a call: the same code while it lives, else a new
 * one. Without a number to call from there is no such button, and the press does nothing.
 */
export async function sendAgain(visit: Visit, channel: Channel): Promise<Answer> {
  const { context, session, now } = visit
  if (channel === 'call' && context.config.twilio.voiceFrom === undefined) {
    return backToCodePage(visit)
  }
  const lock = await readLock(context, session.subject, now)
  if (lock !== undefined) return lockedPage(visit, lock)
  const stored = await readChallenge(context, session, now)
  if (stored !== undefined) await waiveWait(context, stored.challenge, now)
  if (stored !== undefined && (await isLive(context, stored, now))) {
    return repeat(visit, stored, channel)
  }
  return sendAnother(visit, stored, channel)
}

async function repeat(visit: Visit, stored: StoredChallenge, channel: Channel): Promise<Answer> {
  const { challenge } = stored
  const parts = sendPartsOf(visit, channel)
  const tried = await sendCode(parts, stored, visit.now)
  if (tried.kind !== 'tried') return refusedPage(visit, challenge, stored, tried, channel)
  auditSend(visit, tried.challenge, 'again')
  return backToCodePage(visit)
}

/** A new code to the number of the last one, if the directory still has it. */
async function sendAnother(
  visit: Visit,
  stored: StoredChallenge | undefined,
  channel: Channel,
): Promise<Answer> {
  const lookup = await lookUpNumbers(visit)
  if (lookup.kind === 'unavailable') return directoryPage(visit, lookup)
  if (lookup.kind === 'none') return noNumberPage(visit)
  const phone = sameNumber(lookup, stored?.challenge.phone)
  if (phone === undefined) return redirectAnswer(303, codePath(visit, '/_stepgate/otp/number'))
  return sendNewCode(visit, { phone, choices: lookup.numbers.length }, stored, channel)
}

function sameNumber(
  { numbers }: Extract<PhoneLookup, { kind: 'found' }>,
  last: string | undefined,
): string | undefined {
  if (numbers.length === 1) return numbers[0]
  return numbers.find((phone) => phone === last)
}
