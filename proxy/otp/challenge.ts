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
  /** How many messages and calls went out, as far as is known. */
  readonly messages: number
  /** How many of them were calls. */
  readonly calls: number
  /** What the code last went out by, as far as is known: who knows it has that at hand. */
  readonly channel: Channel
  /** Of the last message or call. */
  readonly delivery: Delivery
  /** Whether an earlier or the last message may have arrived, whatever became of the last one. */
  readonly arrived: boolean
}

/** What became of the last message or call: `sending` until Twilio has answered. */
export type Delivery = ({ readonly kind: 'sending' } | SendOutcome) & {
  readonly at: number
  readonly channel: Channel
}

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
