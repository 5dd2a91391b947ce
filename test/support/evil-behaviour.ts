import type { Json, Signing } from './evil-tokens.ts'

/** What an endpoint answers instead of the truth; `hang` never answers, `reset` cuts the line. */
export type Answer = 'hang' | 'reset' | Reply

/** A response, whole. */
export type Reply = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** The endpoints, by name. */
export type Endpoint = 'discovery' | 'jwks' | 'authorize' | 'push' | 'token' | 'userinfo'

/**
 * How the provider misbehaves; what is absent is honest. The functions change their arguments in
 * place, and `delete` takes a member away.
 */
export type Misbehaviour = {
  /** How the ID token is signed. */
  readonly signing?: Signing
  /** ID token: nonce, aud, iss, exp, iat, sub, azp, …, and the header. */
  readonly alterIdToken?: (claims: Json, header: Json) => void
  /** The redirect back: code, state, iss; or error and error_description. */
  readonly alterCallback?: (parameters: URLSearchParams) => void
  /** The token endpoint's answer: id_token, access_token, token_type, … */
  readonly alterTokenResponse?: (response: Json) => void
  /** The discovery document: issuer, endpoints, … */
  readonly alterDiscovery?: (metadata: Json) => void
  /** Userinfo: sub, … */
  readonly alterUserinfo?: (claims: Json) => void
  /** Whole endpoints that answer something else. */
  readonly answers?: Readonly<Partial<Record<Endpoint, Answer>>>
}
