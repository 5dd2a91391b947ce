import type { Acr } from '../policy/acr.ts'

/**
 * Who is signed in and what was proved, as sealed in the session cookie. Times are epoch
 * milliseconds. `family` stays the same from sign-in to sign-out and is what a code is bound to;
 * `id` is new at sign-in and at each step-up.
 */
export type Session = {
  readonly id: string
  readonly family: string
  readonly subject: string
  /** The provider's name for its own session (OpenID Connect Front-Channel Logout 1.0 §3). */
  readonly sid?: string
  readonly username: string
  readonly email?: string
  readonly name?: string
  readonly groups: readonly string[]
  /** `phone_number` of the provider, in E.164, only when `phone_number_verified` was true. */
  readonly claimedPhones?: readonly string[]
  /** Language tags asked for by `ui_locales` at the provider or its `locale` claim. */
  readonly locale?: string
  readonly acr: Acr
  /** RFC 8176 values, without duplicates. */
  readonly amr: readonly string[]
  /** When the provider says that the person signed in (`auth_time`), or when we saw it; or 0: unknown. */
  readonly authTime: number
  /** Present when it was the provider that said `authTime`. */
  readonly authTimeGiven?: true
  /**
   * When the last code was verified, 0 where that was the provider's and it does not say when; absent
   * while `acr` is `basic`.
   */
  readonly otpTime?: number
  /** Start of this session: the absolute lifetime counts from here. */
  readonly createdAt: number
  /** When all sessions of this person had ended last before this one began. */
  readonly lastEndBefore?: number
  /** Last time the cookie was written: the idle limit counts from here. */
  readonly seenAt: number
  /** When the provider last said that all is well; absent where it can't be asked again. */
  readonly checkedAt?: number
}

/** How far the clocks of several machines may be apart (ms). */
export const CLOCK_SKEW = 60_000

/** When the provider said that all was well: never, if that was under a clock gone wrong. */
export function knownCheck(checkedAt: number, now: number): number {
  return checkedAt > now + CLOCK_SKEW ? 0 : checkedAt
}
