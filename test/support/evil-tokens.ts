import { createHmac, randomUUID } from 'node:crypto'
import { exportJWK, exportSPKI, generateKeyPair, type JWK } from 'jose'

/** Any claims or header members; a test may put in what no type would allow. */
export type Json = Record<string, unknown>

/**
 * How an ID token is signed. `honest`: RS256 with the published key. `none`: alg none, no signature.
 * `unsigned`: alg RS256 with an empty signature. `broken`: the signature of other claims.
 * `stranger`: RS256 under the published kid by a key that nobody published. `unknown-kid`: by the
 * right key under a kid that is not published. `no-kid`: honest, but without kid. `hs256-secret`:
 * HS256 keyed by the client's secret. `hs256-public-key`: HS256 keyed by the public key's PEM.
 */
export type Signing =
  | 'honest'
  | 'none'
  | 'unsigned'
  | 'broken'
  | 'stranger'
  | 'unknown-kid'
  | 'no-kid'
  | 'hs256-secret'
  | 'hs256-public-key'

/** An RSA key pair under its kid. */
export type EvilKey = {
  readonly kid: string
  readonly publicJwk: JWK
  readonly publicPem: string
  readonly privateKey: CryptoKey
}

/** A new key, as RS256 needs it. */
export async function createEvilKey(): Promise<EvilKey> {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const kid = randomUUID()
  return {
    kid,
    privateKey,
    publicPem: await exportSPKI(publicKey),
    publicJwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' },
  }
}

/** A JWT of these claims, signed well or badly; `alter` changes header and claims before that. */
export async function issueToken(
  options: {
    readonly claims: Json
    readonly signing: Signing
    readonly key: EvilKey
    readonly clientSecret: string
  },
  alter: (claims: Json, header: Json) => void,
): Promise<string> {
  const { key, signing } = options
  const claims = { ...options.claims }
  const header: Json = { alg: algorithmOf(signing), typ: 'JWT', kid: kidOf(signing, key) }
  alter(claims, header)
  const input = `${encode(header)}.${encode(claims)}`
  const signed = signing === 'broken' ? `${encode(header)}.${encode({ ...claims, x: 1 })}` : input
  return `${input}.${await signatureOf(signed, signing, options)}`
}

function algorithmOf(signing: Signing): string {
  if (signing === 'none') return 'none'
  return signing.startsWith('hs256') ? 'HS256' : 'RS256'
}

function kidOf(signing: Signing, key: EvilKey): string | undefined {
  if (signing === 'no-kid') return undefined
  return signing === 'unknown-kid' ? 'never-published' : key.kid
}

async function signatureOf(
  input: string,
  signing: Signing,
  { key, clientSecret }: { key: EvilKey; clientSecret: string },
): Promise<string> {
  switch (signing) {
    case 'none':
    case 'unsigned':
      return ''
    case 'hs256-secret':
      return hmac(clientSecret, input)
    case 'hs256-public-key':
      return hmac(key.publicPem, input)
    case 'stranger':
      return rsa((await createEvilKey()).privateKey, input)
    default:
      return rsa(key.privateKey, input)
  }
}

function hmac(secret: string, input: string): string {
  return createHmac('sha256', secret).update(input).digest('base64url')
}

async function rsa(key: CryptoKey, input: string): Promise<string> {
  const signature = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', key, Buffer.from(input))
  return Buffer.from(signature).toString('base64url')
}

function encode(value: Json): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
