import type { KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { jwtVerify } from 'jose'
import { createEvilKey, issueToken, type Json, type Signing } from './evil-tokens.ts'

/** A provider's side of access tokens: metadata, keys, and what it says when it is asked. */
export type TokenIssuer = {
  readonly issuer: URL
  /** An access token as a JWT for the API of the tests, with changes; undefined takes one away. */
  token(
    changes?: Json,
    how?: { readonly signing?: Signing; readonly header?: Json },
  ): Promise<string>
  /** What each token is to the provider; a token that is not here is not active. */
  readonly active: Map<string, Json>
  /** From now on a client that asks proves itself by this key (RFC 7523), and by no secret. */
  trustClientKey(publicKey: KeyObject): void
  /** How often the endpoint was asked. */
  count(path: '/jwks' | '/introspect'): number
  /** Publishes another key, which signs from now on, beside the last one or in its place. */
  rotate(how?: { readonly keep: boolean }): Promise<void>
  /** From now on, or no longer, keys and introspection answer 500. */
  break(broken?: boolean): void
  close(): Promise<void>
}

/** Whom its tokens are for. */
export const API = 'https://api.example.com'

const CLIENT_SECRET = 'the secret of the client in the tests of tokens'

/** Starts it on a free loopback port. */
export async function startTokenIssuer(clock: () => number = Date.now): Promise<TokenIssuer> {
  let key = await createEvilKey()
  let published = [key]
  let broken = false
  let clientKey: KeyObject | undefined
  const counts: Record<string, number> = {}
  const active = new Map<string, Json>()

  const server = createServer(async (request, response) => {
    const path = request.url ?? ''
    counts[path] = (counts[path] ?? 0) + 1
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += chunk
    const json = (value: unknown) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (path === '/.well-known/openid-configuration') return json(metadata())
    if (broken) return response.writeHead(500).end()
    if (path === '/jwks') return json({ keys: published.map(({ publicJwk }) => publicJwk) })
    if (path !== '/introspect') return response.writeHead(404).end()
    const fields = new URLSearchParams(text)
    const isClient =
      clientKey === undefined
        ? request.headers.authorization?.startsWith('Basic ')
        : await jwtVerify(fields.get('client_assertion') ?? '', clientKey).catch(() => undefined)
    if (!isClient) return response.writeHead(401).end()
    const claims = active.get(fields.get('token') ?? '')
    return json(claims === undefined ? { active: false } : { active: true, ...claims })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)

  function metadata() {
    const at = (path: string) => `${issuer.origin}${path}`
    return {
      issuer: issuer.origin,
      authorization_endpoint: at('/authorize'),
      token_endpoint: at('/token'),
      jwks_uri: at('/jwks'),
      introspection_endpoint: at('/introspect'),
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    }
  }

  return {
    issuer,
    active,
    async token(changes = {}, { signing = 'honest', header: changed = {} } = {}) {
      const now = Math.floor(clock() / 1000)
      const claims = {
        iss: issuer.origin,
        aud: API,
        sub: 'machine-1',
        client_id: 'reports',
        iat: now,
        exp: now + 300,
        jti: crypto.randomUUID(),
        ...changes,
      }
      return issueToken({ claims, signing, key, clientSecret: CLIENT_SECRET }, (_, header) => {
        Object.assign(header, { typ: 'at+jwt' }, changed)
      })
    },
    trustClientKey(publicKey) {
      clientKey = publicKey
    },
    count: (path) => counts[path] ?? 0,
    async rotate({ keep } = { keep: false }) {
      const before = keep ? published : []
      key = await createEvilKey()
      published = [...before, key]
    },
    break(now = true) {
      broken = now
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
