import type { OtpNotice } from '../../pages/otp-notice.ts'
import type { DeliveryReport } from '../sms/delivery-report.ts'
import { type Challenge, mayHaveArrived } from './challenge.ts'
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
  // A challenge that is being sent is about to become the newest.
  if (!newest && challenge.delivery.kind !== 'sending') {
    return { canEnter: false, notice: { kind: 'superseded' } }
  }
  if (now >= challenge.expiresAt) return { canEnter: false, notice: { kind: 'expired' } }
  if (usedUp) return { canEnter: false, notice: { kind: 'used-up' } }
  const canEnter = challenge.arrived || mayHaveArrived(challenge.delivery)
  return {
    canEnter,
    notice: reportNotice(challenge.delivery.channel, report) ?? sendNotice(challenge, now),
  }
}

// How long (ms) after a message the page speaks of it as news.
const NEWS = 10_000

function sendNotice({ messages, delivery }: Challenge, now: number): OtpNotice {
  if (delivery.kind === 'refused' || delivery.kind === 'failed') {
    return { kind: 'send-failed', reason: delivery.reason, channel: delivery.channel }
  }
  if (delivery.kind === 'paused') {
    // Trying again would not help.
    if (delivery.reason === 'credentials')
      return { kind: 'send-failed', reason: 'credentials', channel: delivery.channel }
    const seconds = Math.max(0, Math.ceil((delivery.until - now) / 1000))
    return { kind: 'send-paused', seconds, channel: delivery.channel }
  }
  if (delivery.channel === 'call') {
    return { kind: now - delivery.at > NEWS ? 'already-called' : 'calling' }
  }
  if (now - delivery.at > NEWS) return { kind: 'already-sent' }
  return { kind: messages > 1 ? 'resent' : 'sent' }
}
