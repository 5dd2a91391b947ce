import type { Sender } from '../sms/sender.ts'
import { keyOf } from '../store/key-of.ts'
import { type Challenge, mayHaveArrived } from './challenge.ts'
import { type OtpParts, type StoredChallenge, writeChallenge } from './challenge-record.ts'
import { RESEND_WAITS, sendWindows } from './limits.ts'

/** What one press of "send" needs besides the challenge. */
export type SendParts = OtpParts & {
  readonly sender: Sender
  /** The client's address, as limits count it. */
  readonly address: string
  /** The text in the person's language; `validFor` in ms. */
  readonly compose: (code: string, validFor: number) => string
}

/** `wait`: too soon after the last message. `limited`: a send limit is reached. Times in epoch ms. */
export type SendRefused =
  | { readonly kind: 'wait'; readonly until: number }
  | { readonly kind: 'limited'; readonly retryAt: number }

/** Whom a message is for, and in which session family it was asked for. */
export type Addressee = Pick<Challenge, 'subject' | 'family' | 'phone'>

const waitKey = ({ subject, family, phone }: Addressee) =>
  keyOf('resend-wait', subject, family, phone)

/** When the next message may be sent (epoch ms; 0: now), without counting. */
export async function resendAt({ store }: OtpParts, to: Addressee, now: number): Promise<number> {
  const strike = await store.strikes(waitKey(to), now)
  return strike.kind === 'waiting' ? strike.until : 0
}

/** Counts this send against the wait and the limits, all before anything is sent. */
export async function countSend(
  { store, address }: SendParts,
  challenge: Challenge,
  now: number,
): Promise<SendRefused | undefined> {
  const remembered = now + 30 * 60_000
  const strike = await store.strike(waitKey(challenge), RESEND_WAITS, remembered, now)
  if (strike.kind === 'waiting') return { kind: 'wait', until: strike.until }
  const windows = sendWindows(challenge.subject, challenge.phone, address)
  const counted = await store.count(windows, now)
  if (counted.kind === 'counted') return undefined
  await store.remove(waitKey(challenge))
  return { kind: 'limited', retryAt: counted.retryAt }
}

/** Sends the challenge's code and writes down what became of it; a failed send costs no wait. */
export async function sendCode(
  parts: SendParts,
  stored: StoredChallenge,
  now: number,
): Promise<Challenge> {
  const { challenge } = stored
  const remaining = challenge.expiresAt - now
  const outcome = await parts.sender.send({
    to: challenge.phone,
    body: parts.compose(challenge.code, remaining),
    validForSeconds: Math.max(1, Math.floor(remaining / 1000)),
  })
  if (outcome.kind !== 'sent') await parts.store.remove(waitKey(challenge))
  const arrived = challenge.arrived || mayHaveArrived(outcome)
  const sent: Challenge = { ...challenge, delivery: { ...outcome, at: now }, arrived }
  // A conflict means that the code was used or replaced meanwhile: there is nothing to write then.
  await writeChallenge(parts, sent, stored.sealed, now)
  return sent
}
