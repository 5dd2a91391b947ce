import type { RequiredAcr } from './acr.ts'

/**
 * One line of `STEPGATE_RULES`, compiled. All parts that are present must hold for it to match;
 * the first match wins.
 */
export type Rule = {
  /** The line as written, for messages and logs. */
  readonly source: string
  readonly requires: RequiredAcr | 'deny'
  /** Upper case; absent: every method. GET in a rule also covers HEAD. */
  readonly methods?: ReadonlySet<string>
  /** Lower case, without port; absent: every host. */
  readonly host?: string
  /** Tests one reading of a path: decoded, case folded, without query. */
  readonly matchesPath: (path: string) => boolean
  /**
   * The first segment of each path that it matches, as that is without `;parameters`; absent: not the
   * same for all.
   */
  readonly firstSegment?: string
  /** The code must not be older than this (ms); only with `twilio_sms`. */
  readonly maxAge?: number
  /** The person must have signed in at the provider within this time (ms). */
  readonly signedInWithin?: number
  /** The person must be in one of these groups; compared exactly. */
  readonly groups?: readonly string[]
  /** Present where an access token of the provider is taken instead of a session. */
  readonly bearer?: true
}

/** What the rules look at. `paths` holds every reading that an application may give to the target. */
export type RuleRequest = {
  readonly method: string
  /** Every host that the application is told of; lower case, without port. */
  readonly hosts: readonly [string, ...string[]]
  readonly paths: readonly [string, ...string[]]
}

/** What to do with a request. */
export type Decision =
  | { readonly kind: 'forward' }
  | Demand
  | { readonly kind: 'deny'; readonly reason: 'rule' | 'groups' }

/** What a person has to do first; `maxAge` in ms says how fresh the sign-in, or the code, has to be. */
export type Demand =
  | { readonly kind: 'sign-in'; readonly maxAge?: number }
  | { readonly kind: 'step-up'; readonly acr: 'twilio_sms'; readonly maxAge?: number }
