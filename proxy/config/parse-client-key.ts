import { createPrivateKey, type KeyObject } from 'node:crypto'
import type { ClientKey } from './config.ts'
import { ok, type Parsed, wrong } from './parsed.ts'

/** How a key signs (RFC 7518 §3.1, RFC 8037, RFC 9864), what most providers take first. */
const EC_ALGS: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
}
const RSA_ALGS = ['RS256', 'PS256', 'RS384', 'PS384', 'RS512', 'PS512'] as const
const ED25519_ALGS = ['EdDSA', 'Ed25519'] as const

/** Every alg that `STEPGATE_OIDC_CLIENT_KEY_ALG` may name. */
export const CLIENT_KEY_ALGS = [
  'ES256',
  'ES384',
  'ES512',
  ...RSA_ALGS,
  ...ED25519_ALGS,
] as const satisfies readonly string[]

const MIN_RSA_BITS = 2048

/** Reads a private key in PEM or as JWK (RFC 7517); problems never say what is in it. */
export function parseClientKey(text: string): Parsed<ClientKey> {
  return text.trimStart().startsWith('{') ? parseJwk(text) : parsePem(text)
}

function parsePem(text: string): Parsed<ClientKey> {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY|^Proc-Type: 4,ENCRYPTED/m.test(text)) {
    return wrong('its key has a passphrase; write it without one (openssl pkey)')
  }
  const pem = /-----BEGIN ([A-Z]+ )?PRIVATE KEY-----[^-]+-----END ([A-Z]+ )?PRIVATE KEY-----/
  const block = pem.exec(text)?.[0]
  if (block === undefined) {
    return /-----BEGIN ([A-Z]+ )?PUBLIC KEY|-----BEGIN CERTIFICATE/.test(text)
      ? wrong('it holds a public key only; that one is for the provider, stepgate signs')
      : wrong('it is neither a private key in PEM form nor a JWK')
  }
  return parseKey(() => createPrivateKey(block), {})
}

type Jwk = Readonly<Record<string, unknown>>

function parseJwk(text: string): Parsed<ClientKey> {
  let jwk: Jwk
  try {
    jwk = JSON.parse(text)
  } catch {
    return wrong('it begins like a JWK, but is no JSON')
  }
  if ('keys' in jwk) return wrong('it is a set of keys; give the one private JWK alone')
  if (typeof jwk.d !== 'string') {
    return jwk.kty === 'oct'
      ? wrong('it is a JWK of a shared secret; that belongs into STEPGATE_OIDC_CLIENT_SECRET')
      : wrong('it holds a public key only; that one is for the provider, stepgate signs')
  }
  const { key_ops: operations, use } = jwk
  if ((use ?? 'sig') !== 'sig' || (Array.isArray(operations) && !operations.includes('sign'))) {
    return wrong('it is a JWK that is not meant to sign with (use, key_ops)')
  }
  return parseKey(() => createPrivateKey({ key: jwk as never, format: 'jwk' }), jwk)
}

function parseKey(create: () => KeyObject, { kid, alg }: Jwk): Parsed<ClientKey> {
  let key: KeyObject
  try {
    key = create()
  } catch {
    return wrong('it is no private key that can be read; it may be cut off')
  }
  const algs = algsOf(key)
  if (algs.kind === 'wrong') return algs
  const { value: possible } = algs
  if (alg !== undefined && !possible.some((one) => one === alg)) {
    return wrong(`it is a JWK with another "alg" than its key has: ${possible.join(', ')}`)
  }
  return ok({
    key,
    algs: typeof alg === 'string' ? [alg] : possible,
    ...(typeof kid === 'string' && kid !== '' && { kid }),
  })
}

function algsOf(key: KeyObject): Parsed<ClientKey['algs']> {
  const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return modulusLength < MIN_RSA_BITS
        ? wrong(`its RSA key has ${modulusLength} bits; ${MIN_RSA_BITS} are the least (RFC 7518)`)
        : ok(RSA_ALGS)
    case 'ec': {
      const alg = EC_ALGS[namedCurve]
      return alg === undefined ? wrong('its curve is none of P-256, P-384 and P-521') : ok([alg])
    }
    case 'ed25519':
      return ok(ED25519_ALGS)
    default:
      return wrong('it is a key of another kind than RSA, EC and Ed25519')
  }
}
