import { randomUUID } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Answer, Endpoint, Misbehaviour } from './evil-behaviour.ts'
import { type EvilState, endpoints, evilPerson } from './evil-endpoints.ts'
import { createEvilKey, type EvilKey, issueToken, type Json, type Signing } from './evil-tokens.ts'

/** A provider that does what it is told, wrong things too. */
export type EvilProvider = {
  readonly issuer: URL
  /** Replaces what an earlier call said; without an argument it is honest again. */
  behave(misbehaviour?: Misbehaviour): void
  /** Publishes and uses a new key, and forgets the one before. */
  rotateKeys(): Promise<void>
  requestCount(endpoint: Endpoint): number
  /** A logout token as Back-Channel Logout 1.0 §2.4 has it, or spoilt. */
  logoutToken(spoilt?: {
    readonly signing?: Signing
    /** The key; without it the one in use. */
    readonly key?: EvilKey
    alter?(claims: Json, header: Json): void
  }): Promise<string>
  close(): Promise<void>
}

const PATHS: Readonly<Record<string, Endpoint>> = {
  '/.well-known/openid-configuration': 'discovery',
  '/jwks': 'jwks',
  '/authorize': 'authorize',
  '/push': 'push',
  '/token': 'token',
  '/userinfo': 'userinfo',
}

/**
 * Starts a small OpenID provider that signs its one person in without asking. It checks the client,
 * PKCE, the redirect URI and that codes work once, so that an honest sign-in proves something; all
 * the rest of it can be made to lie.
 */
export async function startEvilProvider(options: {
  readonly port?: number
  readonly clientId: string
  readonly clientSecret: string
}): Promise<EvilProvider> {
  const counts: Record<Endpoint, number> = {
    discovery: 0,
    jwks: 0,
    authorize: 0,
    push: 0,
    token: 0,
    userinfo: 0,
  }
  let key = await createEvilKey()
  let behaviour: Misbehaviour = {}

  const server = createServer((request, response) => {
    const endpoint = PATHS[(request.url ?? '').split('?')[0] ?? '']
    if (!endpoint) return reply(response, { status: 404 })
    counts[endpoint] += 1
    const lie = behaviour.answers?.[endpoint]
    if (lie) return reply(response, lie)
    Promise.resolve(endpoints[endpoint](state, request)).then(
      (answer) => reply(response, answer),
      (error: Error) => reply(response, { status: 500, body: `${error.stack}` }),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const state: EvilState = {
    issuer: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    client: { id: options.clientId, secret: options.clientSecret },
    grants: new Map(),
    key: () => key,
    behaviour: () => behaviour,
  }
  return {
    issuer: state.issuer,
    behave(misbehaviour = {}) {
      behaviour = misbehaviour
    },
    async rotateKeys() {
      key = await createEvilKey()
    },
    requestCount: (endpoint) => counts[endpoint],
    logoutToken({ signing = 'honest', key: other = key, alter = () => {} } = {}) {
      const now = Math.floor(Date.now() / 1000)
      const claims = {
        iss: state.issuer.origin,
        aud: state.client.id,
        iat: now,
        exp: now + 120,
        jti: randomUUID(),
        sub: evilPerson.sub,
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      }
      return issueToken(
        { claims, signing, key: other, clientSecret: state.client.secret },
        (claims, header) => {
          header.typ = 'logout+jwt'
          alter(claims, header)
        },
      )
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

function reply(response: ServerResponse, answer: Answer): void {
  if (answer === 'hang') return
  if (answer === 'reset') {
    response.destroy()
    return
  }
  response.writeHead(answer.status, answer.headers).end(answer.body)
}
