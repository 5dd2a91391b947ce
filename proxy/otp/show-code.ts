import { type Answer, redirectAnswer } from '../answer.ts'
import { isPrefetch } from '../request/kind-of-request.ts'
import { channelsTo } from '../sms/channels.ts'
import { lastMessage } from './challenge.ts'
import { readChallenge, type StoredChallenge } from './challenge-record.ts'
import { challengeState } from './challenge-state.ts'
import { reportOf } from './delivery-record.ts'
import { lookUpNumbers } from './look-up-numbers.ts'
import { codePage, codePath, directoryPage, lockedPage, noNumberPage } from './otp-answers.ts'
import { sendNewCode } from './send-new-code.ts'
import { isUsedUp, readLock } from './verify-code.ts'
import type { Visit } from './visit.ts'

/** `GET /_stepgate/otp`: the first load sends a code, loading again never does. None calls. */
export async function showCode(visit: Visit): Promise<Answer> {
  const { context, session, now } = visit
  const lock = await readLock(context, session.subject, now)
  if (lock !== undefined) return lockedPage(visit, lock)
  const stored = await readChallenge(context, session, now)
  return stored === undefined ? sendFirst(visit) : showStored(visit, stored)
}

async function showStored(visit: Visit, stored: StoredChallenge): Promise<Answer> {
  const usedUp = await isUsedUp(visit.context, stored.challenge.id, visit.now)
  const report = await reportOf(visit.context.store, lastMessage(stored.challenge), visit.now)
  const state = challengeState(stored, usedUp, visit.now, report)
  return codePage(visit, 200, { ...stored.challenge, ...state })
}

/** Sends to the only number, or asks which. A phone only rings when somebody presses a button. */
async function sendFirst(visit: Visit): Promise<Answer> {
  const lookup = await lookUpNumbers(visit)
  if (lookup.kind === 'unavailable') return directoryPage(visit, lookup)
  if (lookup.kind === 'none') return noNumberPage(visit)
  const [phone, ...others] = lookup.numbers
  if (others.length > 0) return redirectAnswer(302, codePath(visit, '/_stepgate/otp/number'))
  const number = { phone, choices: 1 }
  const [channel = 'sms'] = channelsTo(phone, visit.context.config)
  if (channel === 'sms' && isOpenedByPerson(visit)) {
    return sendNewCode(visit, number, undefined, channel)
  }
  return codePage(visit, 200, {
    ...number,
    canEnter: false,
    notice: { kind: channel === 'call' ? 'call-first' : 'none' },
    expiresAt: 0,
  })
}

/** Only a person who opens the page may cause a message: no prefetch, no image, no script. */
function isOpenedByPerson({ exchange }: Visit): boolean {
  const { method, headers } = exchange.incoming
  const dest = headers['sec-fetch-dest']
  return method === 'GET' && !isPrefetch(headers) && (dest === undefined || dest === 'document')
}
