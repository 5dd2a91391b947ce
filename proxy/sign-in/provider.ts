import type { PartCheck } from '../part-check.ts'

/** The company's OpenID provider, as sign-in sees it. */
export type Provider = {
  /** Whether discovery has succeeded; until then nobody can sign in. */
  isKnown(): boolean
  /** Begins discovery and goes on trying, with growing waits, until it succeeds or `close`. */
  start(): void
  /** One attempt at discovery, and whether the client is known there, for `stepgate check`. */
  check(redirectUri: URL): Promise<PartCheck>
  /** Where to send the browser; throws `ProviderUnknownError` before discovery. */
  authorizationUrl(request: AuthorizationRequest): Promise<URL>
  /** Exchanges the code in `callback` (the callback's URL as the provider was told it, with query). */
  redeem(callback: URL, expected: ExpectedResponse): Promise<Redeemed>
  /** RP-initiated logout; undefined when the provider has no `end_session_endpoint`. */
  endSessionUrl(
    idToken: string | undefined,
    returnTo: URL,
    more?: { readonly state?: string; readonly uiLocales?: string | undefined },
  ): URL | undefined
  /** Whether the provider can end its own session. */
  canSignOut(): boolean
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
  | { readonly kind: 'signed-in'; readonly claims: Claims; readonly idToken: string }
  | { readonly kind: 'refused'; readonly error: string; readonly description?: string }
  | { readonly kind: 'invalid'; readonly code: string }
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
