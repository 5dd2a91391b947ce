import type { BearerSettings } from '../config/config.ts'
import type { Claims, Provider } from '../sign-in/provider.ts'
import { claimsProblem } from './check-claims.ts'
import { createSignatureVerifier } from './verify-signature-jose.ts'

/**
 * What a token turned out to be. `invalid` in one word, for the log. `unavailable`: nobody could say,
 * trying again may help.
 */
export type Verified =
  | { readonly kind: 'valid'; readonly claims: Claims }
  | { readonly kind: 'invalid'; readonly reason: string }
  | { readonly kind: 'unavailable'; readonly code: string }

export type VerifyToken = (token: string, now: number) => Promise<Verified>

/** Checks access tokens of the provider, by its keys or by asking it. */
export function createVerifier(
  provider: Pick<Provider, 'tokenKeys' | 'introspect'>,
  { audiences, introspection }: BearerSettings,
): VerifyToken {
  const isJwt = introspection === undefined
  const verifySignature = createSignatureVerifier()

  return async (token, now) => {
    const keys = provider.tokenKeys()
    if (keys === undefined) return { kind: 'unavailable', code: 'provider_unknown' }
    const found = isJwt
      ? await verifySignature(token, keys.jwksUri)
      : asVerified(await provider.introspect(token))
    if (found.kind !== 'valid') return found
    const expected = { issuer: keys.issuer, audiences, isJwt }
    const reason = claimsProblem(found.claims, expected, now)
    return reason === undefined ? found : { kind: 'invalid', reason }
  }
}

function asVerified(answer: Awaited<ReturnType<Provider['introspect']>>): Verified {
  if (answer.kind === 'active') return { kind: 'valid', claims: answer.claims }
  return answer.kind === 'inactive' ? { kind: 'invalid', reason: 'inactive' } : answer
}
