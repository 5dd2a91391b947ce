import type { LimitName } from '../otp/send-limits.ts'
import type { SignInFailure } from '../sign-in/finish-sign-in.ts'
import type { UndeliveredReason } from '../sms/delivery-report.ts'
import type { Channel } from '../sms/sender.ts'

/** What metrics need of an audit event, in words of which there are few. */
export type CountedFields = {
  readonly 'sign_in.failed': { readonly reason: SignInFailure['kind'] }
  readonly 'otp.sent': { readonly code: CodeUse }
  readonly 'otp.send_failed':
    | { readonly code?: CodeUse; readonly limit?: undefined }
    | { readonly code?: undefined; readonly limit: LimitName; readonly channel: Channel }
  readonly 'otp.delivered': { readonly channel: Channel }
  readonly 'otp.undelivered': { readonly channel: Channel; readonly reason: UndeliveredReason }
  readonly 'otp.verified': { readonly channel: Channel; readonly seconds_since_send: number }
  readonly 'otp.expired': { readonly reason: 'expired' | 'used-up' | 'superseded' }
  readonly 'otp.locked': { readonly kind: 'wait' | 'locked'; readonly began: boolean }
  readonly 'session.ended': { readonly reason: EndReason }
}

/**
 * Why sessions ended before their time: by their person, here or everywhere, by the provider's word,
 * because somebody else signed in with the same browser, or at a recheck.
 */
export type EndReason =
  | 'sign_out'
  | 'sign_out_everywhere'
  | 'back_channel_logout'
  | 'front_channel_logout'
  | 'other_sign_in'
  | 'refused'
  | 'other_subject'
  | 'missing_claim'
  | 'recheck'

/** Whether a message or call was the first of its code. */
export type CodeUse = 'new' | 'again'
