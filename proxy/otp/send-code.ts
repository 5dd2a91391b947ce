import type { DeliveryReport } from '../sms/delivery-report.ts'
import type { Channel, Sender, SendOutcome, VoiceCall } from '../sms/sender.ts'
import { keyOf } from '../store/key-of.ts'
import { type Challenge, lastMessage, mayHaveArrived, REMEMBERED } from './challenge.ts'
import {
  claimNewest,
  makeNewest,
  type OtpParts,
  type StoredChallenge,
  writeChallenge,
} from './challenge-record.ts'
import { countSending, type Limited, type LimitParts, takeBackUnsent } from './count-sending.ts'
import { type MessageOwner, rememberOwner, reportOf } from './delivery-record.ts'
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

/** A press that was not refused: its outcome is the challenge's `delivery`, nothing is written yet. */
export type Tried = {
  readonly kind: 'tried'
  readonly challenge: Challenge
  /** Whether the code has gone out by it, or may have. */
  readonly went: boolean
}

/** Whom a message is for, and in which session family it was asked for. */
export type Addressee = Pick<Challenge, 'subject' | 'family' | 'phone'>

// Each press is a strike. The record is never removed: a press by which Twilio took nothing takes its
// own strike back, and a message that failed to arrive loses its wait but stays counted.
const waitKey = ({ subject, family, phone }: Addressee) =>
  keyOf('resend-wait', subject, family, phone)

/** When the next message may be sent (epoch ms; 0: now), without counting. */
export async function resendAt({ store }: OtpParts, to: Addressee, now: number): Promise<number> {
  const strike = await store.strikes(waitKey(to), now)
  return strike.kind === 'waiting' ? strike.until : 0
}

/** What is sent next need not wait for a message that has failed to arrive. */
export async function waiveWait(
  { store }: OtpParts,
  challenge: Challenge,
  now: number,
): Promise<void> {
  if ((await reportOf(store, lastMessage(challenge), now))?.state !== 'failed') return
  await store.waive(waitKey(challenge), challenge.strike, challenge.strike, now)
}

/** Sends or calls the code of a challenge once more, and writes down what became of it. */
export async function sendCode(
  parts: SendParts,
  stored: StoredChallenge,
  now: number,
): Promise<Tried | SendRefused> {
  const tried = await trySend(parts, stored.challenge, now)
  if (tried.kind === 'tried') await writeTried(parts, tried, stored, now)
  return tried
}

/**
 * One press: nothing is counted while nothing would be tried, all is counted before it is, and what
 * surely went to nobody costs no wait.
 */
export async function trySend(
  parts: SendParts,
  challenge: Challenge,
  now: number,
): Promise<Tried | SendRefused> {
  const paused = parts.sender.paused?.(parts.channel, challenge.phone)
  if (paused !== undefined) return triedOf(parts, challenge, paused, now)
  const counted = await countSend(parts, challenge, now)
  if (counted.kind !== 'counted') return counted
  const { strike } = counted
  const outcome = await deliver(parts, challenge, challenge.expiresAt - now)
  if (outcome.kind === 'sent') {
    await rememberSent(parts, challenge, outcome.id, now)
    return triedOf(parts, { ...challenge, strike }, outcome, now)
  }
  await takeStrikeBack(parts, challenge, strike, now)
  if (!mayHaveArrived(outcome)) await takeBackUnsent(parts, sendingOf(parts, challenge), now)
  return triedOf(parts, challenge, outcome, now)
}

/**
 * Writes a press down in place of `stored`. The first that may have brought the code to the person
 * makes it her newest. A conflict means that the code was used or replaced meanwhile.
 */
export async function writeTried(
  parts: OtpParts,
  { challenge, went }: Tried,
  stored: StoredChallenge,
  now: number,
): Promise<void> {
  const written = await writeChallenge(parts, challenge, stored.sealed, now)
  if (written === undefined || !went) return
  if (stored.challenge.sends.length === 0) await makeNewest(parts, challenge)
  // Where the store had failed in between, that is made good.
  else await claimNewest(parts, { ...written, newestSeen: stored.newestSeen }, now)
}

type Counted = { readonly kind: 'counted'; readonly strike: number }

/** Counts this send against the wait and the limits. */
async function countSend(
  parts: SendParts,
  challenge: Challenge,
  now: number,
): Promise<Counted | SendRefused> {
  const { store } = parts
  // A wait is known by the number of its strike: it must not begin anew while one can be ended.
  const remembered = Math.max(now + 30 * 60_000, challenge.expiresAt + REMEMBERED)
  const strike = await store.strike(waitKey(challenge), RESEND_WAITS, remembered, now)
  if (strike.kind === 'waiting') return { kind: 'wait', until: strike.until }
  const limited = await countSending(parts, sendingOf(parts, challenge), now)
  if (limited === undefined) return { kind: 'counted', strike: strike.count }
  await takeStrikeBack(parts, challenge, strike.count, now)
  return limited
}

function takeStrikeBack(
  { store }: OtpParts,
  to: Addressee,
  strike: number,
  now: number,
): Promise<void> {
  return store.waive(waitKey(to), strike, strike - 1, now)
}

function sendingOf({ address, channel }: SendParts, challenge: Challenge) {
  return { ...challenge, address, channel }
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

/** The challenge after a press: its outcome beside the last message that Twilio took. */
function triedOf(
  { channel, address }: SendParts,
  before: Challenge,
  outcome: SendOutcome,
  now: number,
): Tried {
  const went = mayHaveArrived(outcome)
  const message = lastMessage(before)
  const challenge: Challenge = {
    ...before,
    sends: went ? [...before.sends, { channel, address }] : before.sends,
    // What may have arrived says less than what was taken before it.
    channel: outcome.kind === 'sent' || !before.arrived ? channel : before.channel,
    delivery: { ...outcome, at: now, channel },
    ...(message !== undefined && { message }),
    arrived: before.arrived || went,
  }
  return { kind: 'tried', challenge, went }
}
