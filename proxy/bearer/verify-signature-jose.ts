import { compactVerify, createRemoteJWKSet, errors } from 'jose'
import { errorCode } from '../error-code.ts'
import type { Claims } from '../sign-in/provider.ts'
import type { Verified } from './verify-token.ts'

/** Public keys alone: what a secret signs, whoever has the secret can sign. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]

/** What an access token says of its kind (RFC 9068 §2.1), if it does; `JWT` says nothing. */
const TYPES = /^(?:application\/)?(?:at\+jwt|jwt)$/i

// In ms. A key that a token names and nobody knows yet is asked for, once a second at most; one that
// the provider has taken back is believed for a few minutes.
const KEYS = { cacheMaxAge: 5 * 60_000, cooldownDuration: 1_000, timeoutDuration: 5_000 }

const FORGED: readonly string[] = [
  errors.JWSInvalid.code,
  errors.JWSSignatureVerificationFailed.code,
  errors.JWKSNoMatchingKey.code,
  errors.JWKSMultipleMatchingKeys.code,
  errors.JOSEAlgNotAllowed.code,
  errors.JOSENotSupported.code,
]

/** Checks form, kind and signature of JWTs with the keys at an address; claims are not looked at. */
export function createSignatureVerifier(): (token: string, jwksUri: URL) => Promise<Verified> {
  let known: { address: string; keys: ReturnType<typeof createRemoteJWKSet> } | undefined

  return async (token, jwksUri) => {
    if (known?.address !== jwksUri.href) {
      known = { address: jwksUri.href, keys: createRemoteJWKSet(jwksUri, KEYS) }
    }
    try {
      const { payload, protectedHeader } = await compactVerify(token, known.keys, {
        algorithms: ALGORITHMS,
      })
      const { typ } = protectedHeader
      if (typ !== undefined && !TYPES.test(typ)) return { kind: 'invalid', reason: 'type' }
      const claims = readClaims(payload)
      return claims === undefined
        ? { kind: 'invalid', reason: 'malformed' }
        : { kind: 'valid', claims }
    } catch (error) {
      const code = errorCode(error) ?? 'unknown'
      return FORGED.includes(code)
        ? { kind: 'invalid', reason: 'signature' }
        : { kind: 'unavailable', code }
    }
  }
}

function readClaims(payload: Uint8Array): Claims | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload).toString('utf8'))
    return typeof claims === 'object' && claims !== null ? (claims as Claims) : undefined
  } catch {
    return undefined
  }
}
