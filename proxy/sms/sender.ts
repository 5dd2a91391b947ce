import type { PartCheck } from '../part-check.ts'

/** A text message to one number. `to` is E.164; `validForSeconds` is the life of the code in it. */
export type SmsMessage = {
  readonly to: string
  readonly body: string
  readonly validForSeconds: number
}

/**
 * A call to one number (E.164) in which sentences are read out, one after another. `language` is a
 * tag that the provider has a voice for, such as `de-DE`.
 */
export type VoiceCall = {
  readonly to: string
  readonly language: string
  readonly sentences: readonly string[]
}

/** How a code goes out. */
export type Channel = 'sms' | 'call'

/**
 * What became of a send, or of a call as far as it is known when it has been asked for. `refused`:
 * this number can't get it, another may. `failed`: no number can get one now. `paused`: nothing was
 * tried, because it has failed again and again; the next is tried at `until` (epoch ms). `code` is
 * the provider's own error code, `status` that of HTTP, and `network` the network's own word
 * (`ECONNRESET`) where no answer came.
 */
export type SendOutcome =
  | { readonly kind: 'sent'; readonly id: string }
  | { readonly kind: 'refused'; readonly reason: RefusedReason; readonly code?: number }
  | {
      readonly kind: 'failed'
      readonly reason: FailedReason
      readonly code?: number
      readonly status?: number
      readonly network?: string
    }
  | {
      readonly kind: 'paused'
      readonly reason: 'unavailable' | 'credentials'
      readonly until: number
    }

export type RefusedReason =
  | 'not_a_number'
  | 'not_mobile'
  | 'country_not_enabled'
  /** A premium, toll-free or other number that is nobody's phone. */
  | 'number_type'
  | 'opted_out'
  | 'not_routable'
  | 'blocked'
  /** The phone was busy, or nobody answered. */
  | 'not_answered'

export type FailedReason =
  | 'credentials'
  | 'trial_account'
  | 'sender_not_registered'
  | 'rate_limited'
  | 'unavailable'
  | 'rejected'

/** A send that is held back. */
export type Paused = Extract<SendOutcome, { kind: 'paused' }>

/** Sends a text or calls; never throws for what the provider or the network does. */
export type Sender = {
  send(message: SmsMessage): Promise<SendOutcome>
  call(call: VoiceCall): Promise<SendOutcome>
  /** What a send to this number (E.164) would end in if none is tried now; to ask counts as a send. */
  paused?(channel: Channel, to: string): Paused | undefined
  /** Tries the credentials without sending or calling. */
  check(): Promise<PartCheck>
}
