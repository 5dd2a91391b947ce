import type { PartCheck } from '../part-check.ts'

/** The company's OpenID provider, as sign-in sees it. */
export type Provider = {
  /** Whether discovery has succeeded; until then nobody can sign in. */
  isKnown(): boolean
  /** Begins discovery and goes on trying, with growing waits, until it succeeds or `close`. */
  start(): void
  /** One attempt at discovery, and whether the client is known there, for `stepgate check`. */
  check(redirectUri: URL): Promise<PartCheck>
  /**
   * Where to send the browser; throws `ProviderUnknownError` before discovery, and `PushFailedError`
   * where the request has to be pushed to the provider and could not be, or too many are just now.
   */
  authorizationUrl(request: AuthorizationRequest): Promise<URL>
  /** Whether that costs a request to the provider. */
  pushes(): boolean
  /** Exchanges the code in `callback` (the callback's URL as the provider was told it, with query). */
  redeem(callback: URL, expected: ExpectedResponse): Promise<Redeemed>
  /** Asks whether all is still well with a person, and who that is now. */
  refresh(refreshToken: string, subject: string): Promise<Refreshed>
  /** RP-initiated logout; undefined when the provider has no `end_session_endpoint`. */
  endSessionUrl(
    idToken: string | undefined,
    returnTo: URL,
    more?: { readonly state?: string; readonly uiLocales?: string | undefined },
  ): URL | undefined
  /** Whether the provider can end its own session. */
  canSignOut(): boolean
  /** How it calls itself, and where the keys of its tokens are; undefined before discovery. */
  tokenKeys(): TokenKeys | undefined
  /** Asks about an access token (RFC 7662). */
  introspect(token: string): Promise<Introspected>
  /** What a logout token says, if it is one of the provider's for us (Back-Channel Logout 1.0 §2.6). */
  readLogoutToken(token: string, now: number): Promise<LogoutRead>
  close(): void
}

export type AuthorizationRequest = {
  readonly redirectUri: URL
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
  readonly uiLocales?: string
  /** In seconds: the provider has to sign the person in anew if the last time is longer ago. */
  readonly maxAge?: number
  readonly prompt?: 'login'
  /** Whom the provider may expect. */
  readonly loginHint?: string
}

export type ExpectedResponse = {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

export type Claims = Readonly<Record<string, unknown>>

/**
 * `refused`: the provider said no, in its own words. `invalid`: a check failed, somebody may be
 * tampering. `unavailable`: the provider did not answer, trying again may help.
 */
export type Redeemed =
  | {
      readonly kind: 'signed-in'
      readonly claims: Claims
      readonly idToken: string
      readonly refreshToken?: string
    }
  | { readonly kind: 'refused'; readonly error: string; readonly description?: string }
  | { readonly kind: 'invalid'; readonly code: string }
  | { readonly kind: 'unavailable'; readonly code: string }

/**
 * `refreshed`: all is well; without `claims` the provider said no more than that, and with `partial`
 * what is not among them is as it was. `refused`: it says
 * that this grant is over. `other-subject`: it speaks of somebody else. `unknown`: nothing was learned;
 * `unsure` is whether the token may have been used up by it. A `refreshToken` takes the old one's place.
 */
export type Refreshed =
  | {
      readonly kind: 'refreshed'
      readonly claims?: Claims
      readonly partial?: true
      readonly refreshToken?: string
    }
  | { readonly kind: 'refused'; readonly error: string }
  | { readonly kind: 'other-subject' }
  | {
      readonly kind: 'unknown'
      readonly code: string
      readonly unsure: boolean
      readonly refreshToken?: string
    }

export type TokenKeys = { readonly issuer: string; readonly jwksUri: URL }

/** `inactive`: whatever it is, it's none that works. `unavailable`: the provider did not say. */
export type Introspected =
  | { readonly kind: 'active'; readonly claims: Claims }
  | { readonly kind: 'inactive' }
  | { readonly kind: 'unavailable'; readonly code: string }

/**
 * `logout`: the provider's session `sid` has ended, or all of `subject` where there is no `sid`;
 * `jti` may not come again until `expiresAt` (epoch ms). The rest as in `Redeemed`.
 */
export type LogoutRead =
  | {
      readonly kind: 'logout'
      readonly jti: string
      readonly expiresAt: number
      readonly sid?: string
      readonly subject?: string
    }
  | { readonly kind: 'invalid'; readonly code: string }
  | { readonly kind: 'unavailable'; readonly code: string }

/** Discovery has not succeeded yet. */
export class ProviderUnknownError extends Error {
  readonly code = 'provider_unknown'
  constructor() {
    super('The OpenID provider has not answered yet')
    this.name = 'ProviderUnknownError'
  }
}

/**
 * The provider did not take a pushed authorization request (RFC 9126 §2.3). `reason` is its error, or
 * that of the connection, or `too_many`: it was not asked.
 */
export class PushFailedError extends Error {
  readonly code = 'push_failed'
  readonly reason: string
  constructor(reason: string) {
    super(`The OpenID provider did not take the authorization request: ${reason}`)
    this.name = 'PushFailedError'
    this.reason = reason
  }
}
