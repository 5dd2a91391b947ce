import type { Answer } from '../answer.ts'
import type { OwnRequest } from '../own-route.ts'
import { isPrefetch } from '../request/kind-of-request.ts'
import { hasBegun } from '../session/provider-sessions.ts'
import { FORGET_PAGES } from './answer-sign-out.ts'
import { endProviderSession } from './provider-logout.ts'

/**
 * `GET /_stepgate/frontchannel-logout?iss=…&sid=…`: OpenID Connect Front-Channel Logout 1.0 §2, in a
 * frame of the provider's page. There is no cookie in it, as ours are SameSite=Lax, so what ends is
 * what began with `sid`: whoever knows that has it from the provider. Of any other `sid` nothing is
 * written down. Throws `StoreUnavailableError`.
 */
export async function answerFrontChannelLogout(request: OwnRequest): Promise<Answer> {
  const { context, exchange, fields, now } = request
  const { method, headers } = exchange.incoming
  const sid = fields.get('sid')
  const isOurs = URL.parse(fields.get('iss') ?? '')?.href === context.config.oidc.issuer.href
  if (sid === null || !isOurs) return framed(request, 400, 'Not a sign-out of your provider')
  if (method !== 'GET' || isPrefetch(headers) || !(await hasBegun(context, sid, now))) {
    return framed(request, 200, 'Signed out')
  }
  await endProviderSession(context, exchange, sid, 'front_channel_logout', now)
  return framed(request, 200, 'Signed out', FORGET_PAGES)
}

/** What nobody sees: a line of text that only the provider may frame. */
function framed(
  { context }: OwnRequest,
  status: 200 | 400,
  body: string,
  headers: Answer['headers'] = {},
): Answer {
  const { issuer } = context.config.oidc
  const end = context.provider.endSessionUrl(undefined, context.config.publicUrl)
  const ancestors = new Set([issuer.origin, ...(end === undefined ? [] : [end.origin])])
  return {
    status,
    headers: {
      'Content-Type': 'text/plain; charset=utf-8',
      'Cache-Control': 'no-store',
      'Content-Security-Policy': `default-src 'none'; frame-ancestors ${[...ancestors].join(' ')}`,
      'X-Content-Type-Options': 'nosniff',
      ...headers,
    },
    body: `${body}\n`,
  }
}
