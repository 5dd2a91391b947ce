import type { PartCheck } from '../part-check.ts'

/** A text message to one number. `to` is E.164; `validForSeconds` is the life of the code in it. */
export type SmsMessage = { to: string; body: string; validForSeconds: number }

/**
 * What became of a send. `refused`: this number can't get it, another may. `failed`: no number can
 * get one now; `operator` outcomes need somebody to act. `code` is the provider's own error code.
 */
export type SendOutcome =
  | { kind: 'sent'; id: string }
  | { kind: 'refused'; reason: RefusedReason; code?: number }
  | { kind: 'failed'; reason: FailedReason; code?: number; status?: number }

export type RefusedReason =
  | 'not_a_number'
  | 'not_mobile'
  | 'country_not_enabled'
  /** A premium, toll-free or other number that is nobody's phone. */
  | 'number_type'
  | 'opted_out'
  | 'not_routable'
  | 'blocked'

export type FailedReason =
  | 'credentials'
  | 'trial_account'
  | 'sender_not_registered'
  | 'rate_limited'
  | 'unavailable'
  | 'rejected'

/** Sends a text; never throws for what the provider or the network does. */
export type Sender = {
  send(message: SmsMessage): Promise<SendOutcome>
  /** Tries the credentials without sending anything. */
  check(): Promise<PartCheck>
}
