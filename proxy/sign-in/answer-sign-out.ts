import { type Answer, redirectAnswer } from '../answer.ts'
import { auditFields } from '../audit-fields.ts'
import type { OwnRequest } from '../own-route.ts'
import { pageAnswer } from '../page-answer.ts'
import { isPrefetch, kindOf } from '../request/kind-of-request.ts'
import { returnTarget } from '../request/return-target.ts'
import { isSameOrigin } from '../request/same-origin.ts'
import { clearCookie } from '../session/cookies.ts'
import { clearSessionCookie } from '../session/session-cookie.ts'
import { readBrowserCookies } from './browser-cookies.ts'
import { readSignedOut, signOut } from './sign-out.ts'

/**
 * Makes the browser forget the application's pages, or the back button would show them to whoever
 * comes next: most say nothing about caching. At the end of the way too, since the page that a
 * person leaves is kept for going back only once the next one is there.
 */
export const FORGET_PAGES = { 'Clear-Site-Data': '"cache"' } as const

/**
 * `GET /_stepgate/sign-out`: a link in the application that a person follows signs out at once, and
 * with `?ask=yes` shows the page that lets them choose where. A link on another site asks first, and
 * so does what no person follows: an image, a prefetch.
 */
export function confirmSignOut(request: OwnRequest): Promise<Answer> | Answer {
  const { context, exchange, session, fields, uiLocales } = request
  const asks = fields.get('ask') === 'yes' && session !== undefined
  if (isOwnLink(request) && !asks) return answerSignOut(request)
  if (session === undefined) return redirectAnswer(303, signedOutUrl(request).href)
  const end = context.provider.endSessionUrl(undefined, context.config.publicUrl)
  return pageAnswer(
    context.pages,
    exchange,
    200,
    'confirm-sign-out',
    {
      username: session.username,
      // The page that the link was on.
      stayUrl: returnTarget(exchange.incoming.headers.referer, context.config.publicUrl),
    },
    { uiLocales, formActionOrigins: end === undefined ? [] : [end.origin] },
  )
}

/**
 * `POST /_stepgate/sign-out`: ends the session, with `everywhere=yes` all of the person, and sends
 * the browser on to the provider.
 */
export async function answerSignOut(request: OwnRequest): Promise<Answer> {
  const { context, exchange, session, now } = request
  const { cookies, config } = context
  const signedOut = signedOutUrl(request)
  const { cookie } = exchange.incoming.headers
  const clear = [
    ...clearSessionCookie(cookies.session, cookie, config),
    // What waits to be sent on is nobody's any more.
    ...readBrowserCookies(cookie, cookies.resume).map(({ name }) => clearCookie(name, config)),
  ]
  if (session === undefined) {
    // A session of ours may have expired before the one at the provider, on a shared computer too.
    const end = context.provider.endSessionUrl(undefined, signedOut) ?? signedOut
    return redirectAnswer(303, end.href, clear)
  }
  const everywhere =
    exchange.incoming.method === 'POST' && request.fields.get('everywhere') === 'yes'
  const fields = auditFields({ exchange, session })
  const until = now + config.session.lifetime
  const next = await signOut(context, { session, everywhere, signedOut, until, fields }, now)
  const reason = everywhere ? 'sign_out_everywhere' : 'sign_out'
  context.log.audit('session.ended', { ...fields, reason })
  const answer = redirectAnswer(303, next.href, clear)
  return { ...answer, headers: { ...answer.headers, ...FORGET_PAGES } }
}

/** `GET /_stepgate/signed-out`: where the provider sends the browser back to, with our `state`. */
export async function showSignedOut(request: OwnRequest): Promise<Answer> {
  const { context, exchange, fields, now } = request
  const { everywhere, uiLocales } = await readSignedOut(context.sealer, fields.get('state'), now)
  return pageAnswer(
    context.pages,
    exchange,
    200,
    'signed-out',
    {
      signInUrl: '/_stepgate/sign-in',
      providerSignedOut: context.provider.canSignOut(),
      ...(everywhere !== undefined && { everywhere }),
    },
    { uiLocales: request.uiLocales ?? uiLocales, headers: FORGET_PAGES },
  )
}

function signedOutUrl({ context }: OwnRequest): URL {
  return new URL('/_stepgate/signed-out', context.config.publicUrl)
}

function isOwnLink({ context, exchange }: OwnRequest): boolean {
  const { method = '', headers } = exchange.incoming
  return (
    method === 'GET' &&
    kindOf(method, headers) === 'navigation' &&
    !isPrefetch(headers) &&
    isSameOrigin(headers, context.config.publicUrl)
  )
}
