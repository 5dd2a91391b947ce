import type { OidcCredential } from '../config/config.ts'
import { networkWords } from '../network-words.ts'
import type { PushFailedError } from './provider.ts'

/** What discovery met, without the provider's own words: those can hold anything. */
export type DiscoveryFailure = {
  /** Of openid-client, or of Node for a connection that failed. */
  readonly code: string
  readonly cause?: string
  /** Of an answer that was no metadata. */
  readonly status?: number
  /** What the metadata says, where that is another issuer. */
  readonly otherIssuer?: string
}

/** Why a provider can't be discovered and what to do, for `stepgate check`. */
export function discoveryProblem(issuer: URL, failure: DiscoveryFailure): string {
  const { code, cause, status, otherIssuer } = failure
  if (otherIssuer !== undefined) {
    return `what answers at ${issuer.href} calls itself ${otherIssuer}: set STEPGATE_OIDC_ISSUER to exactly that if it is meant`
  }
  if (status !== undefined && status >= 500) {
    return `${issuer.href} can't answer now (HTTP ${status}); try again later`
  }
  if (status !== undefined) {
    const place = `${issuer.href.replace(/\/$/, '')}/.well-known/openid-configuration`
    return `there is no provider's metadata at ${place} (HTTP ${status}); look at STEPGATE_OIDC_ISSUER, its path too`
  }
  if (code === 'OAUTH_PARSE_ERROR' || code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED') {
    return `what answers at ${issuer.href} is no OpenID provider (${code}); look at STEPGATE_OIDC_ISSUER`
  }
  if (code === 'unusable_metadata') {
    const why = cause?.startsWith('pushed_')
      ? ', which STEPGATE_OIDC_PAR or its own metadata asks for'
      : ''
    return `${issuer.href} is known, but has no usable ${cause}${why}`
  }
  const network = cause ?? (code === 'TypeError' ? undefined : code)
  return `${issuer.href} was not reached: ${networkWords(network)}; look at STEPGATE_OIDC_ISSUER and the way there`
}

/**
 * Whether the provider knows the client, from its OAuth error (RFC 6749 §5.2) to a code that it never
 * gave: `invalid_grant` is what it says to a client that it knows.
 */
export function clientVerdict(
  error: string | undefined,
  credential: OidcCredential,
): { kind: 'known' } | { kind: 'unclear' } | { kind: 'problem'; detail: string } {
  switch (error) {
    case 'invalid_grant':
      return { kind: 'known' }
    case 'invalid_client':
      return {
        kind: 'problem',
        detail:
          typeof credential === 'string'
            ? 'it does not accept STEPGATE_OIDC_CLIENT_ID and STEPGATE_OIDC_CLIENT_SECRET (invalid_client): one of them is wrong, or the client there is a public one'
            : `it does not accept STEPGATE_OIDC_CLIENT_ID with what STEPGATE_OIDC_CLIENT_KEY signs (invalid_client): the client there has to use private_key_jwt and to have this key's public half, ${credential.kid === undefined ? 'and STEPGATE_OIDC_CLIENT_KEY_ID its kid, if it has one' : `with the kid ${JSON.stringify(credential.kid)}`}`,
      }
    case 'unauthorized_client':
    case 'unsupported_grant_type':
      return {
        kind: 'problem',
        detail: `it does not let the client of STEPGATE_OIDC_CLIENT_ID use the authorization code flow (${error}): allow that at the provider`,
      }
    default:
      return { kind: 'unclear' }
  }
}

/** Why a pushed authorization request was not taken and what to do, for `stepgate check`. */
export function pushProblem({ reason }: PushFailedError): string {
  return `it does not take the pushed authorization request (${reason}): look at the redirect URI that is registered there, and at what the STEPGATE_OIDC_ variables ask for`
}
