import type { Answer } from '../answer.ts'
import { auditFields } from '../audit-fields.ts'
import { describeError } from '../log.ts'
import { sessionCookies } from '../session/current-session.ts'
import { stepUp } from '../session/transitions.ts'
import type { Channel } from '../sms/sender.ts'
import { readChallenge } from './challenge-record.ts'
import { challengeState } from './challenge-state.ts'
import { backToCodePage, codePage, goOn, lockedPage } from './otp-answers.ts'
import { limitsOf } from './send-limits.ts'
import { type Locked, type Verified, verifyCode } from './verify-code.ts'
import type { Visit } from './visit.ts'

/** `POST /_stepgate/otp`: compares the code and, if it is right, steps the session up. */
export async function checkCode(visit: Visit, code: string): Promise<Answer> {
  const { context, session, exchange, now } = visit
  const { store, sealer, config } = context
  const parts = { store, sealer, limits: limitsOf(config), ...config.otp }
  const result = await verifyCode(parts, session, code, exchange.client.address, now)
  audit(visit, result)
  switch (result.kind) {
    case 'verified':
      return finishStepUp(visit, result.channel)
    case 'locked':
      return lockedPage(visit, result)
    case 'none':
      // There is none that it could be: nothing was sent, or it has been used.
      return backToCodePage(visit)
    case 'wrong':
      if (result.lock !== undefined) return lockedPage(visit, result.lock)
      return challengePage(visit, 422, { kind: 'wrong', attemptsLeft: result.attemptsLeft })
    case 'not-a-code':
      return challengePage(visit, 422, { kind: 'not-a-code' })
    case 'expired':
    case 'used-up':
    case 'superseded':
      return challengePage(visit, 410, { kind: result.kind })
  }
}

/** A new session id with the second factor in it; the id before is dead at once (ASVS 7.2.4). */
async function finishStepUp(visit: Visit, channel: Channel): Promise<Answer> {
  const { context, exchange, session, now } = visit
  // RFC 8176 §2
  const method = channel === 'call' ? 'tel' : 'sms'
  const proved = stepUp(session, { id: context.random.id(), method, now })
  const setCookies = await sessionCookies(context, exchange, proved, now)
  const end = session.createdAt + context.config.session.lifetime
  await context.revocations.revoke(session.id, end, auditFields(visit))
  return goOn(visit, setCookies)
}

type Refusal =
  | { readonly kind: 'wrong'; readonly attemptsLeft: number }
  | { readonly kind: 'not-a-code' | 'expired' | 'used-up' | 'superseded' }

async function challengePage(visit: Visit, status: number, refusal: Refusal): Promise<Answer> {
  const { context, session, now } = visit
  const stored = await readChallenge(context, session, now)
  if (stored === undefined) return backToCodePage(visit)
  const usedUp = refusal.kind === 'wrong' ? refusal.attemptsLeft < 1 : refusal.kind === 'used-up'
  const { canEnter } = challengeState(stored, usedUp, now)
  return codePage(visit, status, { ...stored.challenge, canEnter, notice: refusal })
}

function audit(visit: Visit, result: Verified): void {
  const { log } = visit.context
  const fields = auditFields(visit)
  switch (result.kind) {
    case 'verified':
      log.audit('otp.verified', {
        ...fields,
        channel: result.channel,
        seconds_since_send: result.secondsSinceSend,
      })
      if (result.notNoted !== undefined) {
        log.warn(
          'A right code was used, but the store still counts the failures and messages before it',
          {
            request_id: fields.request_id,
            ...describeError(result.notNoted),
          },
        )
      }
      break
    case 'wrong':
      log.audit('otp.wrong', { ...fields, attempts_left: result.attemptsLeft })
      if (result.lock !== undefined) auditLock(visit, result.lock, true)
      break
    case 'locked':
      auditLock(visit, result, false)
      break
    case 'expired':
    case 'used-up':
    case 'superseded':
      log.audit('otp.expired', { ...fields, reason: result.kind })
      break
    case 'none':
    case 'not-a-code':
      break
  }
}

/** A wait that begins, or a guess that came during one. */
function auditLock(visit: Visit, { locked, until }: Locked, began: boolean): void {
  const seconds = Math.ceil((until - visit.now) / 1000)
  const kind = locked ? 'locked' : 'wait'
  visit.context.log.audit('otp.locked', { ...auditFields(visit), kind, began, seconds })
}
