import { type Answer, jsonAnswer, redirectAnswer, seeOther } from '../answer.ts'
import { ASSERTION_HEADER } from '../assertion/assertions.ts'
import type { HeaderTemplate } from '../config/config.ts'
import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import { kindOf } from '../request/kind-of-request.ts'
import { pickHeaders } from '../request/raw-headers.ts'
import { returnTarget } from '../request/return-target.ts'
import type { Session } from '../session/session.ts'
import { withoutOwnCookies } from '../upstream/own-cookies.ts'
import type { AnswerMode } from './answer-mode.ts'

/**
 * 200: what the application is to be told in place of what the client says, its cookies without
 * stepgate's and its `Authorization` without an access token among it; what there is nothing to say of
 * is empty, as some proxies leave alone what is not there, and older Caddys write the name of a variable.
 * Cookies for the browser are there twice, as `Set-Cookie` and one a header in `X-Stepgate-Set-Cookie-1`
 * and so on, as nginx and Caddy can't tell several of one name apart.
 *
 * Where stepgate forwards as well, a proxy in front may pass a client's own question on. Then the answer
 * says no more than who that is: no secret, no assertion, and no cookie that scripts could read.
 */
export function allowedAnswer(
  { config, upstream }: Context,
  { incoming, client, tokenUntil }: Exchange,
  session: Session | undefined,
  setCookies: readonly string[],
  now: number,
): Answer {
  const headers: Record<string, string> = { 'Cache-Control': 'no-store' }
  const identity = upstream.identityOf(session, now)
  if (config.upstreams.length > 0) {
    const untold = new Set([ASSERTION_HEADER, ...namesWithSecret(config.headers)])
    addHeaders(
      headers,
      pickHeaders(identity, (name) => !untold.has(name)),
    )
    return { status: 200, headers, setCookies, body: '' }
  }
  const credentials = tokenUntil === undefined ? incoming.headers.authorization : ''
  // An empty one that nobody has sent would be malformed to some applications.
  if (credentials !== undefined) headers.Authorization = credentials
  for (const { name } of config.headers) headers[name] = ''
  headers[ASSERTION_HEADER] = ''
  const { addressNames, ownCookies } = upstream.headerSettings
  for (const name of addressNames) headers[name] = client.chain[0] ?? ''
  addHeaders(headers, identity)
  headers.Cookie = withoutOwnCookies(incoming.headers.cookie ?? '', ownCookies)
  return { status: 200, headers: { ...headers, ...numbered(setCookies) }, setCookies, body: '' }
}

function addHeaders(headers: Record<string, string>, list: readonly string[]): void {
  for (let i = 0; i < list.length; i += 2) headers[list[i] as string] = list[i + 1] as string
}

function namesWithSecret(templates: readonly HeaderTemplate[]): string[] {
  return templates.filter(({ value }) => value.includes('{secret}')).map(({ name }) => name)
}

/** For a client whose request was held back a moment ago and now may pass: to ask again. */
export function againAnswer(
  { config }: Context,
  { incoming, target, requestId }: Exchange,
): Answer {
  if (kindOf(incoming.method ?? '', incoming.headers) === 'navigation') {
    const location = new URL(returnTarget(target.raw, config.publicUrl), config.publicUrl)
    return redirectAnswer(seeOther(incoming), location.href)
  }
  const headers = { 'Retry-After': '1' }
  return jsonAnswer(503, { error: 'try_again', request_id: requestId }, headers)
}

/** What the gate answers to a client in place of what was asked for, as the proxy can take it. */
export function fitAnswer(answer: Answer, mode: AnswerMode, publicUrl: URL): Answer {
  const { status, headers, setCookies = [] } = answer
  // The proxy would let the request pass.
  if (status < 300) throw new TypeError(`no refusal: ${status}`)
  const location = headers.Location
  // Traefik would take it as relative to stepgate's own address.
  const absolute = location === undefined ? {} : { Location: new URL(location, publicUrl).href }
  if (mode !== 'status') return { ...answer, headers: { ...headers, ...absolute } }
  // nginx adds that of its first question to the answer to its second.
  const { 'WWW-Authenticate': _, ...withoutChallenge } = headers
  return {
    ...answer,
    status: statusFor(status),
    headers: {
      ...withoutChallenge,
      ...absolute,
      ...numbered(setCookies),
    },
  }
}

/** nginx makes a 500 of every other. */
function statusFor(status: number): number {
  if (status === 302 || status === 303) return 401
  return status >= 400 && status < 500 && status !== 401 ? 403 : status
}

function numbered(setCookies: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    setCookies.map((cookie, index) => [`X-Stepgate-Set-Cookie-${index + 1}`, cookie]),
  )
}
