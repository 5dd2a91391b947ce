import type { DeliveryReport } from '../sms/delivery-report.ts'
import type { Channel, Sender, SendOutcome, VoiceCall } from '../sms/sender.ts'
import { keyOf } from '../store/key-of.ts'
import { type Challenge, mayHaveArrived } from './challenge.ts'
import { type OtpParts, type StoredChallenge, writeChallenge } from './challenge-record.ts'
import { countSending, type Limited, type LimitParts, takeBackUnsent } from './count-sending.ts'
import { type MessageOwner, rememberOwner, takeWaiver } from './delivery-record.ts'
import { RESEND_WAITS } from './limits.ts'
import type { SmsAlarms } from './sms-alarms.ts'

/** What one press of "send" needs besides the challenge. */
export type SendParts = OtpParts &
  LimitParts & {
    readonly sender: Sender
    readonly channel: Channel
    readonly alarms: SmsAlarms
    /** The client's address, as limits count it. */
    readonly address: string
    /** The text in the person's language; `validFor` in ms. */
    readonly compose: (code: string, validFor: number) => string
    /** What is said in a call. */
    readonly speak: (code: string) => Omit<VoiceCall, 'to'>
    /** Told how a message ended of which Twilio has reported that before it answered. */
    readonly ended: (owner: MessageOwner, message: string, report: DeliveryReport) => void
  }

/** `wait`: too soon after the last message, until when (epoch ms). `limited`: by a send limit. */
export type SendRefused = { readonly kind: 'wait'; readonly until: number } | Limited

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
  parts: SendParts,
  challenge: Challenge,
  now: number,
): Promise<SendRefused | undefined> {
  const { store, address, channel } = parts
  const remembered = now + 30 * 60_000
  const strike = await store.strike(waitKey(challenge), RESEND_WAITS, remembered, now)
  if (strike.kind === 'waiting') return { kind: 'wait', until: strike.until }
  const limited = await countSending(parts, { ...challenge, address, channel }, now)
  if (limited !== undefined) await store.remove(waitKey(challenge))
  return limited
}

/** What is sent next need not wait for a message that has failed to arrive; true once for each. */
export async function waiveWait(
  { store }: OtpParts,
  challenge: Challenge,
  now: number,
): Promise<void> {
  if (await takeWaiver(store, challenge, now)) await store.remove(waitKey(challenge))
}

/** Sends or calls the challenge's code and writes down what became of it; a failed send costs no wait. */
export async function sendCode(
  parts: SendParts,
  stored: StoredChallenge,
  now: number,
): Promise<Challenge> {
  const { challenge } = stored
  const { address, channel } = parts
  const outcome = await deliver(parts, challenge, challenge.expiresAt - now)
  if (outcome.kind !== 'sent') await parts.store.remove(waitKey(challenge))
  else await rememberSent(parts, challenge, outcome.id, now)
  const went = mayHaveArrived(outcome)
  if (!went) {
    const sending = { ...challenge, address, channel }
    await takeBackUnsent(parts, sending, outcome.kind !== 'paused', now)
  }
  const sent: Challenge = {
    ...challenge,
    messages: challenge.messages + (went ? 1 : 0),
    calls: challenge.calls + (went && channel === 'call' ? 1 : 0),
    // What may have arrived says less than what was taken before it.
    channel: outcome.kind === 'sent' || !challenge.arrived ? channel : challenge.channel,
    delivery: { ...outcome, at: now, channel },
    arrived: challenge.arrived || went,
  }
  // A conflict means that the code was used or replaced meanwhile: there is nothing to write then.
  await writeChallenge(parts, sent, stored.sealed, now)
  return sent
}

async function rememberSent(
  parts: SendParts,
  challenge: Challenge,
  message: string,
  now: number,
): Promise<void> {
  const early = await rememberOwner(parts, challenge, message, now)
  if (early !== undefined) parts.ended(challenge, message, early)
}

function deliver(
  { sender, channel, compose, speak }: SendParts,
  { phone, code }: Challenge,
  remaining: number,
): Promise<SendOutcome> {
  if (channel === 'call') return sender.call({ to: phone, ...speak(code) })
  return sender.send({
    to: phone,
    body: compose(code, remaining),
    validForSeconds: Math.max(1, Math.floor(remaining / 1000)),
  })
}
