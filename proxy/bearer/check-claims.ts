import { CLOCK_SKEW } from '../session/session.ts'
import type { Claims } from '../sign-in/provider.ts'

/** Why a token that the provider stands for is none for us. */
export type ClaimsProblem =
  | 'issuer'
  | 'audience'
  | 'expired'
  | 'not_yet_valid'
  | 'bound_to_a_key'
  | 'no_access_token'
  | 'no_subject'

type Expected = {
  readonly issuer: string
  readonly audiences: readonly string[]
  /** A JWT must say who issued it and when it ends (RFC 9068 §2.2); an introspection need not. */
  readonly isJwt: boolean
  /** Its header says that it is an access token (RFC 9068 §2.1). */
  readonly isTyped: boolean
}

/**
 * What is wrong with the claims of an access token (RFC 9068 §4, RFC 7662 §2.2); undefined: nothing.
 * A token that is bound to a key (RFC 9449, RFC 8705) is refused, as nobody here proves to have the
 * key, and so is what is plainly an ID token or a refresh token, or a JWT that may be one: an ID token of
 * another client has that client for its audience, which may have the name of an API.
 */
export function claimsProblem(
  claims: Claims,
  { issuer, audiences, isJwt, isTyped }: Expected,
  now: number,
): ClaimsProblem | undefined {
  if (claims.iss !== issuer && (isJwt || claims.iss !== undefined)) return 'issuer'
  const named = Array.isArray(claims.aud) ? claims.aud : [claims.aud]
  if (!named.some((name) => audiences.includes(name))) return 'audience'
  const end = endOf(claims)
  if (end === undefined ? isJwt || claims.exp !== undefined : now >= end) return 'expired'
  for (const start of [claims.nbf, claims.iat]) {
    if (start !== undefined && !(Number(start) * 1000 <= now + CLOCK_SKEW)) return 'not_yet_valid'
  }
  if (claims.cnf !== undefined) return 'bound_to_a_key'
  const isMarked = !isJwt || isTyped || OWN_CLAIMS.some((name) => claims[name] !== undefined)
  if (!isMarked || isOther(claims)) return 'no_access_token'
  return typeof claims.sub === 'string' && claims.sub !== '' ? undefined : 'no_subject'
}

/** When the token expires (epoch ms), with what clocks may differ; undefined when it does not say. */
export function endOf({ exp }: Claims): number | undefined {
  return typeof exp === 'number' && Number.isFinite(exp) ? exp * 1000 + CLOCK_SKEW : undefined
}

/**
 * Claims of access tokens alone (RFC 9068 §2.2). Entra has no `client_id`, and for machines no `scp`, but
 * `appid` or `azpacr`; Auth0 says `gty` to machines without a scope.
 */
const OWN_CLAIMS = ['client_id', 'scope', 'scp', 'appid', 'azpacr', 'gty']

/** Claims of an ID token or a logout token alone; a `typ` or `token_use` of another kind. */
const OTHER_CLAIMS = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events']
const OTHER_KINDS = /^(?:id|refresh|offline|logout)(?:[ _-]?token)?$/i

function isOther(claims: Claims): boolean {
  if (OTHER_CLAIMS.some((name) => claims[name] !== undefined)) return true
  if ([claims.typ, claims.token_use].some((kind) => OTHER_KINDS.test(String(kind)))) return true
  return claims.token_type !== undefined && !/^bearer$/i.test(String(claims.token_type))
}
