import type { Channel, SendOutcome } from '../sms/sender.ts'

/**
 * One code, sealed in the store. It works once, for one person, in one session family, to the one
 * number that it was sent to. Times are epoch ms.
 */
export type Challenge = {
  readonly id: string
  readonly subject: string
  readonly family: string
  readonly purpose: 'step-up'
  /** E.164 */
  readonly phone: string
  /** Whether the person had not lately typed in a code that went to this number. */
  readonly unknown: boolean
  /** How many numbers the person could choose from. */
  readonly choices: number
  readonly code: string
  readonly createdAt: number
  readonly expiresAt: number
  /** The person's newest code when this one was made: it may be used until another takes its place. */
  readonly over?: string
  /** The messages and calls that went out, as far as is known. */
  readonly sends: readonly CodeSend[]
  /** What the code last went out by, as far as is known: who knows it has that at hand. */
  readonly channel: Channel
  /** Of the last press of "send". */
  readonly delivery: Delivery
  /** The last message or call that Twilio took, if the last press was not it. */
  readonly message?: Message
  /** Which strike of the waits the last message was that Twilio took. */
  readonly strike: number
  /** Whether an earlier or the last message may have arrived, whatever became of the last one. */
  readonly arrived: boolean
}

/** By what a code went out, and for whom: `address` is the client's, as limits count it. */
export type CodeSend = { readonly channel: Channel; readonly address: string }

/** What became of the last press of "send": `sending` until Twilio has answered. */
export type Delivery = ({ readonly kind: 'sending' } | SendOutcome) & {
  readonly at: number
  readonly channel: Channel
}

/** A message or call that Twilio took. */
export type Message = Extract<Delivery, { kind: 'sent' }>

/** An ended challenge is remembered this long (ms), so that the page can say what became of it. */
export const REMEMBERED = 15 * 60_000

/** Whether this message may have arrived, or may still. */
export function mayHaveArrived(delivery: Delivery | SendOutcome): boolean {
  switch (delivery.kind) {
    case 'sending':
    case 'sent':
      return true
    case 'refused':
    case 'paused':
      return false
    case 'failed':
      // A timeout or a reset says nothing about whether Twilio took the message.
      return delivery.reason === 'unavailable'
  }
}

/** Whether the person may have this code. */
export function mayBeKnown({
  arrived,
  delivery,
}: Pick<Challenge, 'arrived' | 'delivery'>): boolean {
  return arrived || mayHaveArrived(delivery)
}

/** The last message or call that Twilio took, whatever became of a later press. */
export function lastMessage({
  delivery,
  message,
}: Pick<Challenge, 'delivery' | 'message'>): Message | undefined {
  return delivery.kind === 'sent' ? delivery : message
}

/** Longer (ms) than any answer of Twilio's is waited for. */
const SENDING_AT_MOST = 30_000

/** A send whose end nobody has written down for so long may have been taken, like any without an answer. */
export function withoutAnswer(challenge: Challenge, now: number): Challenge {
  const { delivery } = challenge
  if (delivery.kind !== 'sending' || now - delivery.at < SENDING_AT_MOST) return challenge
  const failed: Delivery = { ...delivery, kind: 'failed', reason: 'unavailable' }
  return { ...challenge, delivery: failed, arrived: true }
}

/** The digits of what was typed or pasted, or undefined when it can't be a code of this length. */
export function readCode(input: string, length: number): string | undefined {
  if (input.length > 64) return undefined
  const digits = input.replace(/[\s\u200e\u200f\u2010-\u2015-]/g, '')
  return digits.length === length && /^[0-9]+$/.test(digits) ? digits : undefined
}

/** The last two digits: as much of a number as is ever shown. */
export function lastDigits(phone: string): string {
  return phone.slice(-2)
}
