import { networkWords } from '../network-words.ts'

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
  if (code === 'unusable_metadata') return `${issuer.href} is known, but has no usable ${cause}`
  const network = cause ?? (code === 'TypeError' ? undefined : code)
  return `${issuer.href} was not reached: ${networkWords(network)}; look at STEPGATE_OIDC_ISSUER and the way there`
}

/**
 * Whether the provider knows the client, from its OAuth error (RFC 6749 §5.2) to a code that it never
 * gave: `invalid_grant` is what it says to a client that it knows.
 */
export function clientVerdict(
  error: string | undefined,
): { kind: 'known' } | { kind: 'unclear' } | { kind: 'problem'; detail: string } {
  switch (error) {
    case 'invalid_grant':
      return { kind: 'known' }
    case 'invalid_client':
      return {
        kind: 'problem',
        detail:
          'it does not accept STEPGATE_OIDC_CLIENT_ID and STEPGATE_OIDC_CLIENT_SECRET (invalid_client): one of them is wrong, or the client there is a public one',
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
