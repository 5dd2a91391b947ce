import { type CompactVerifyResult, compactVerify, errors } from 'jose'
import { errorCode } from '../error-code.ts'
import type { Claims } from '../sign-in/provider.ts'
import { createRemoteKeys, type RemoteKeys } from '../sign-in/remote-keys-jose.ts'
import type { Genuine } from './verify-token.ts'

/** Public keys alone: what a secret signs, whoever has the secret can sign. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]

/** What an access token says of its kind (RFC 9068 §2.1), if it does; `JWT` says nothing. */
const TYPED = /^(?:application\/)?at\+jwt$/i
const UNTYPED = /^(?:application\/)?jwt$/i

// In ms. A key that a token names and nobody knows yet is asked for, once a second at most; one that
// the provider has taken back is believed for a few minutes.
const KEYS = { cacheMaxAge: 5 * 60_000, cooldownDuration: 1_000, timeoutDuration: 5_000 }

const FORGED: readonly string[] = [
  errors.JWSInvalid.code,
  errors.JWSSignatureVerificationFailed.code,
  errors.JWKSNoMatchingKey.code,
  errors.JOSEAlgNotAllowed.code,
  errors.JOSENotSupported.code,
]

/** Checks form, kind and signature of JWTs with the keys at an address; claims are not looked at. */
export function createSignatureVerifier(): (token: string, jwksUri: URL) => Promise<Genuine> {
  const keysAt = createRemoteKeys(KEYS)

  return async (token, jwksUri) => {
    try {
      const { payload, protectedHeader } = await verifyByAny(token, keysAt(jwksUri.href))
      const { typ } = protectedHeader
      const isTyped = typ !== undefined && TYPED.test(typ)
      if (typ !== undefined && !isTyped && !UNTYPED.test(typ)) {
        return { kind: 'invalid', reason: 'type' }
      }
      const claims = readClaims(payload)
      return claims === undefined
        ? { kind: 'invalid', reason: 'malformed' }
        : { kind: 'valid', claims, isTyped }
    } catch (error) {
      const code = errorCode(error) ?? 'unknown'
      return FORGED.includes(code)
        ? { kind: 'invalid', reason: 'signature' }
        : { kind: 'unavailable', code }
    }
  }
}

/** A token that names no key may be of any that fits. */
async function verifyByAny(token: string, keys: RemoteKeys): Promise<CompactVerifyResult> {
  const options = { algorithms: ALGORITHMS }
  try {
    return await compactVerify(token, keys, options)
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
    for await (const key of error) {
      try {
        return await compactVerify(token, key, options)
      } catch (failure) {
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure
      }
    }
    throw new errors.JWSSignatureVerificationFailed()
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
