import type { OtpNotice, UnsentNotice } from '../../pages/otp-notice.ts'
import type { DeliveryReport } from '../sms/delivery-report.ts'
import { type Challenge, type Delivery, mayBeKnown } from './challenge.ts'
import type { StoredChallenge } from './challenge-record.ts'
import { reportNotice } from './delivery-news.ts'

/** Where a challenge stands: whether a code may be typed in, and what there is to say. */
export type ChallengeState = { readonly canEnter: boolean; readonly notice: OtpNotice }

/**
 * How a stored challenge looks to the person; `usedUp` says that no try is left,
 * `report` what Twilio has said of the last message or call since.
 */
export function challengeState(
  { challenge, newest }: Pick<StoredChallenge, 'challenge' | 'newest'>,
  usedUp: boolean,
  now: number,
  report?: DeliveryReport,
): ChallengeState {
  if (!newest) return { canEnter: false, notice: { kind: 'superseded' } }
  const known = mayBeKnown(challenge)
  // Of a code that went to nobody there is more to say than that it has expired.
  if (known && now >= challenge.expiresAt) return { canEnter: false, notice: { kind: 'expired' } }
  if (usedUp) return { canEnter: false, notice: { kind: 'used-up' } }
  const { delivery } = challenge
  const reported = delivery.kind === 'sent' ? reportNotice(delivery.channel, report) : undefined
  return { canEnter: known, notice: reported ?? sendNotice(challenge, now) }
}

// How long (ms) after a message the page speaks of it as news.
const NEWS = 10_000

function sendNotice({ sends, delivery }: Challenge, now: number): OtpNotice {
  const unsent = unsentNotice(delivery, now)
  if (unsent !== undefined) return unsent
  if (delivery.kind === 'sending') return { kind: 'sending', channel: delivery.channel }
  if (delivery.channel === 'call') {
    return { kind: now - delivery.at > NEWS ? 'already-called' : 'calling' }
  }
  if (now - delivery.at > NEWS) return { kind: 'already-sent' }
  return { kind: sends.length > 1 ? 'resent' : 'sent' }
}

/** What there is to say of a press that was not taken; undefined of any other. */
export function unsentNotice(delivery: Delivery, now: number): UnsentNotice | undefined {
  const { kind, channel } = delivery
  switch (kind) {
    case 'sending':
    case 'sent':
      return undefined
    case 'refused':
    case 'failed':
      return { kind: 'send-failed', reason: delivery.reason, channel }
    case 'paused': {
      // Trying again would not help.
      if (delivery.reason === 'credentials') {
        return { kind: 'send-failed', reason: 'credentials', channel }
      }
      const seconds = Math.max(0, Math.ceil((delivery.until - now) / 1000))
      return { kind: 'send-paused', seconds, channel }
    }
  }
}
