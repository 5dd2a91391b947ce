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

/** The same before claims are looked at; `isTyped`: a header says that it is an access token. */
export type Genuine =
  | { readonly kind: 'valid'; readonly claims: Claims; readonly isTyped: boolean }
  | Exclude<Verified, { kind: 'valid' }>

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
      : asGenuine(await provider.introspect(token))
    if (found.kind !== 'valid') return found
    const expected = { issuer: keys.issuer, audiences, isJwt, isTyped: found.isTyped }
    const reason = claimsProblem(found.claims, expected, now)
    return reason === undefined ? found : { kind: 'invalid', reason }
  }
}

function asGenuine(answer: Awaited<ReturnType<Provider['introspect']>>): Genuine {
  if (answer.kind === 'active') return { kind: 'valid', claims: answer.claims, isTyped: false }
  return answer.kind === 'inactive' ? { kind: 'invalid', reason: 'inactive' } : answer
}
