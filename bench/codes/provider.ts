import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { phoneOf } from './people.ts'

export const CLIENT = { id: 'stepgate', secret: 'a-client-secret-of-the-bench' } as const

const LIFE = 3600

/**
 * Answers below `issuer` as an OpenID provider that lets in whomever `login_hint` numbers. It signs
 * with ES256 when it redirects, so that the exchange of the code, which is measured, costs it next to
 * nothing; and it checks nothing, since it is there for the client's sake alone. Who asks for offline_access gets a
 * refresh token.
 */
export function createProvider(
  issuer: string,
): (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<boolean> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const tokens = new Map<string, { id_token: string; refresh_token?: string }>()
  const documents: Readonly<Record<string, string>> = {
    '/.well-known/openid-configuration': JSON.stringify({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
      token_endpoint_auth_methods_supported: ['client_secret_basic'],
      code_challenge_methods_supported: ['S256'],
    }),
    '/jwks': JSON.stringify({
      keys: [{ ...publicKey.export({ format: 'jwk' }), kid: '1', alg: 'ES256', use: 'sig' }],
    }),
  }

  function authorize(asked: URLSearchParams): string {
    const code = randomBytes(16).toString('hex')
    const person = Number(asked.get('login_hint'))
    const nonce = asked.get('nonce') ?? undefined
    const lasts = asked.get('scope')?.split(' ').includes('offline_access')
    tokens.set(code, {
      id_token: signToken(privateKey, claimsOf(issuer, person, nonce)),
      ...(lasts && { refresh_token: `refresh-${person}` }),
    })
    const callback = new URL(asked.get('redirect_uri') ?? '')
    callback.search = `${new URLSearchParams({ code, state: asked.get('state') ?? '' })}`
    return callback.href
  }

  /** By a code, once, or by a refresh token. */
  function redeem(form: URLSearchParams) {
    const person = /^refresh-(\d+)$/.exec(form.get('refresh_token') ?? '')?.[1]
    if (person !== undefined) {
      return { id_token: signToken(privateKey, claimsOf(issuer, Number(person))) }
    }
    const code = form.get('code') ?? ''
    const granted = tokens.get(code)
    tokens.delete(code)
    return granted
  }

  return async (request, response, url) => {
    if (url.pathname === '/authorize') {
      response.writeHead(302, { location: authorize(url.searchParams) }).end()
      return true
    }
    if (url.pathname === '/token') {
      const granted = redeem(new URLSearchParams(await readText(request)))
      const answer = { access_token: 'access', token_type: 'Bearer', expires_in: LIFE, ...granted }
      sendJson(response, granted === undefined ? 400 : 200, JSON.stringify(answer))
      return true
    }
    const document = documents[url.pathname]
    if (document !== undefined) sendJson(response, 200, document)
    return document !== undefined
  }
}

/** All that stepgate asks for, so that it need not ask for userinfo. */
function claimsOf(issuer: string, person: number, nonce?: string) {
  const now = Math.floor(Date.now() / 1000)
  return {
    iss: issuer,
    aud: CLIENT.id,
    sub: `person-${person}`,
    nonce,
    iat: now,
    exp: now + LIFE,
    auth_time: now,
    amr: ['pwd'],
    preferred_username: `person${person}`,
    name: `Person ${person}`,
    email: `person${person}@example.com`,
    email_verified: true,
    groups: ['staff', 'payroll'],
    phone_number: phoneOf(person),
    phone_number_verified: true,
  }
}

function signToken(key: KeyObject, claims: object): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${encode({ alg: 'ES256', kid: '1' })}.${encode(claims)}`
  // RFC 7518 §3.4
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const piece of request.setEncoding('utf8')) text += piece
  return text
}

function sendJson(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body)
}
