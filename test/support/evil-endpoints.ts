import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Endpoint, Misbehaviour, Reply } from './evil-behaviour.ts'
import { type EvilKey, issueToken, type Json } from './evil-tokens.ts'

/** Claims of the one person whom it knows, besides those that make it an ID token. */
export const evilPerson = {
  sub: 'evil-subject',
  preferred_username: 'alice',
  name: 'Alice Adams',
  email: 'alice@example.com',
  email_verified: true,
  groups: ['staff'],
}

type Grant = { readonly parameters: URLSearchParams; readonly issuedAt: number }

/** What the endpoints share. */
export type EvilState = {
  readonly issuer: URL
  readonly client: { readonly id: string; readonly secret: string }
  readonly grants: Map<string, Grant>
  readonly key: () => EvilKey
  readonly behaviour: () => Misbehaviour
}

/** What each endpoint answers where no test says otherwise. */
export const endpoints: Readonly<
  Record<Endpoint, (state: EvilState, request: IncomingMessage) => Promise<Reply> | Reply>
> = { discovery, jwks, authorize, push, token, userinfo }

function discovery({ issuer, behaviour }: EvilState): Reply {
  const metadata: Json = {
    issuer: issuer.origin,
    authorization_endpoint: `${issuer.origin}/authorize`,
    token_endpoint: `${issuer.origin}/token`,
    userinfo_endpoint: `${issuer.origin}/userinfo`,
    jwks_uri: `${issuer.origin}/jwks`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  }
  behaviour().alterDiscovery?.(metadata)
  return json(metadata)
}

function jwks({ key }: EvilState): Reply {
  return json({ keys: [key().publicJwk] })
}

function authorize(
  { issuer, client, grants, behaviour }: EvilState,
  request: IncomingMessage,
): Reply {
  const { searchParams: asked } = new URL(request.url ?? '', issuer)
  const target = URL.parse(asked.get('redirect_uri') ?? '')
  if (!target || asked.get('client_id') !== client.id) return { status: 400, body: 'Who are you?' }
  const code = randomBytes(16).toString('hex')
  grants.set(code, { parameters: asked, issuedAt: Math.floor(Date.now() / 1000) })
  const answer = new URLSearchParams({ code, iss: issuer.origin })
  const state = asked.get('state')
  if (state !== null) answer.set('state', state)
  behaviour().alterCallback?.(answer)
  target.search = answer.toString()
  return { status: 302, headers: { location: target.href } }
}

/** Takes any request and names it so that it can be found out what was in it: by itself. */
async function push(_: EvilState, request: IncomingMessage): Promise<Reply> {
  const query = new URLSearchParams(await readText(request))
  return json({ request_uri: `urn:evil:${query}`, expires_in: 60 }, 201)
}

async function token(state: EvilState, request: IncomingMessage): Promise<Reply> {
  const form = new URLSearchParams(await readText(request))
  const code = form.get('code') ?? ''
  const grant = state.grants.get(code)
  state.grants.delete(code)
  if (!isClient(state, request, form)) return json({ error: 'invalid_client' }, 401)
  if (!grant || !matches(grant.parameters, form)) return json({ error: 'invalid_grant' }, 400)

  const nonce = grant.parameters.get('nonce')
  const claims = {
    ...evilPerson,
    iss: state.issuer.origin,
    aud: state.client.id,
    iat: grant.issuedAt,
    exp: grant.issuedAt + 300,
    auth_time: grant.issuedAt,
    amr: ['pwd'],
    ...(nonce === null ? {} : { nonce }),
  }
  const { signing = 'honest', alterIdToken = () => {}, alterTokenResponse } = state.behaviour()
  const response: Json = {
    access_token: randomBytes(16).toString('hex'),
    token_type: 'Bearer',
    expires_in: 300,
    id_token: await issueToken(
      { claims, signing, key: state.key(), clientSecret: state.client.secret },
      alterIdToken,
    ),
  }
  alterTokenResponse?.(response)
  return json(response)
}

function userinfo({ behaviour }: EvilState, request: IncomingMessage): Reply {
  if (!request.headers.authorization?.startsWith('Bearer ')) {
    return { status: 401, headers: { 'www-authenticate': 'Bearer' } }
  }
  const claims: Json = { ...evilPerson }
  behaviour().alterUserinfo?.(claims)
  return json(claims)
}

function isClient({ client }: EvilState, request: IncomingMessage, form: URLSearchParams): boolean {
  const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1]
  const [id, secret] = basic
    ? Buffer.from(basic, 'base64').toString().split(':').map(decodeForm)
    : [form.get('client_id'), form.get('client_secret')]
  const [given, wanted] = [sha256(`${id}:${secret}`), sha256(`${client.id}:${client.secret}`)]
  return timingSafeEqual(given, wanted)
}

// RFC 6749 §2.3.1: id and secret are form-encoded inside Basic.
function decodeForm(text: string): string {
  return new URLSearchParams(`x=${text}`).get('x') ?? ''
}

function matches(asked: URLSearchParams, form: URLSearchParams): boolean {
  const challenge = sha256(form.get('code_verifier') ?? '').toString('base64url')
  return (
    form.get('grant_type') === 'authorization_code' &&
    form.get('redirect_uri') === asked.get('redirect_uri') &&
    asked.get('code_challenge_method') === 'S256' &&
    asked.get('code_challenge') === challenge
  )
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return text
}

function json(value: unknown, status = 200): Reply {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  return { status, headers, body: JSON.stringify(value) }
}
