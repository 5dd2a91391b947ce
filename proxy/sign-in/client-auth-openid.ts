import * as oidc from 'openid-client'
import type { ClientKey, OidcCredential } from '../config/config.ts'

const SECRET_METHODS: readonly string[] = ['client_secret_basic', 'client_secret_post']

/**
 * How stepgate proves itself, at every endpoint of the provider: `private_key_jwt` (OpenID Connect Core
 * §9) with a key; with a secret `client_secret_basic` where the metadata allows it (OpenID Connect
 * Discovery §3), else `client_secret_post`.
 */
export function authenticateWith(credential: OidcCredential): oidc.ClientAuth {
  if (typeof credential !== 'string') return signWith(credential)
  const basic = oidc.ClientSecretBasic(credential)
  const post = oidc.ClientSecretPost(credential)
  return (server, ...rest) => {
    const methods = methodsOf(server) ?? ['client_secret_basic']
    return (methods.includes('client_secret_basic') ? basic : post)(server, ...rest)
  }
}

/** Why the provider, by its metadata, will not take this, and what to do; undefined if it may. */
export function clientAuthProblem(
  credential: OidcCredential,
  server: oidc.ServerMetadata,
): string | undefined {
  const methods = methodsOf(server)
  const takes = (...wanted: readonly string[]) =>
    methods === undefined || wanted.some((method) => methods.includes(method))
  if (typeof credential === 'string') {
    return takes(...SECRET_METHODS)
      ? undefined
      : `it takes no client secret, only ${written(methods)}: give STEPGATE_OIDC_CLIENT_KEY_FILE instead of STEPGATE_OIDC_CLIENT_SECRET`
  }
  if (!takes('private_key_jwt')) {
    return `it does not offer private_key_jwt, only ${written(methods)}: give STEPGATE_OIDC_CLIENT_SECRET instead of STEPGATE_OIDC_CLIENT_KEY`
  }
  const algs = signingAlgsOf(server)
  return algs === undefined || credential.algs.some((alg) => algs.includes(alg))
    ? undefined
    : `it takes no signature by ${written(credential.algs)}, only by ${written(algs)}: look at STEPGATE_OIDC_CLIENT_KEY_ALG, or make another key`
}

/** For `stepgate check`, how a client with a key was proved. */
export function writeClientAuth(credential: OidcCredential, server: oidc.ServerMetadata): string {
  return typeof credential === 'string'
    ? ''
    : ` by its key (private_key_jwt, ${chooseAlg(credential, server)})`
}

function signWith(key: ClientKey): oidc.ClientAuth {
  const signers = new Map<string, oidc.ClientAuth>()
  return (server, ...rest) => {
    const alg = chooseAlg(key, server)
    const signer = signers.get(alg) ?? createSigner(key, alg)
    signers.set(alg, signer)
    return signer(server, ...rest)
  }
}

function createSigner({ key, kid }: ClientKey, alg: string): oidc.ClientAuth {
  const cryptoKey = key.toCryptoKey(algorithmOf(alg), false, ['sign'])
  return oidc.PrivateKeyJwt(kid === undefined ? cryptoKey : { key: cryptoKey, kid }, {
    [oidc.modifyAssertion](header) {
      // Ed25519 has two names, and the library knows the newer one only.
      header.alg = alg
    },
  })
}

function algorithmOf(alg: string): Parameters<ClientKey['key']['toCryptoKey']>[0] {
  const hash = `SHA-${alg.slice(2)}`
  switch (alg.slice(0, 2)) {
    case 'RS':
      return { name: 'RSASSA-PKCS1-v1_5', hash }
    case 'PS':
      return { name: 'RSA-PSS', hash }
    case 'ES':
      return { name: 'ECDSA', namedCurve: alg === 'ES512' ? 'P-521' : `P-${alg.slice(2)}` }
    default:
      return { name: 'Ed25519' }
  }
}

function chooseAlg({ algs }: ClientKey, server: oidc.ServerMetadata): string {
  const taken = signingAlgsOf(server)
  return algs.find((alg) => taken?.includes(alg)) ?? algs[0]
}

function methodsOf(server: oidc.ServerMetadata): readonly string[] | undefined {
  return listed(server.token_endpoint_auth_methods_supported)
}

function signingAlgsOf(server: oidc.ServerMetadata): readonly string[] | undefined {
  return listed(server.token_endpoint_auth_signing_alg_values_supported)
}

/** Metadata can hold anything: a list of words, or it says nothing. */
function listed(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined
  return value.filter((item) => typeof item === 'string' && /^[\w.:-]{1,60}$/.test(item))
}

function written(words: readonly string[] = []): string {
  return words.slice(0, 8).join(', ') || 'nothing'
}
