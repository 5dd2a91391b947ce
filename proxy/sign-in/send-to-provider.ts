import { type Answer, jsonAnswer, redirectAnswer, seeOther } from '../answer.ts'
import type { OwnRequest } from '../own-route.ts'
import { isPrefetch } from '../request/kind-of-request.ts'
import { bindBrowser, readBrowserCookies } from './browser-cookies.ts'
import type { Destination } from './finish-sign-in.ts'
import { loginHint } from './login-hint.ts'
import { type SignInRequest, startSignIn } from './start-sign-in.ts'

/** Who is sent, with the session that does not suffice and what a link of ours says, if any. */
type Sent = Pick<OwnRequest, 'context' | 'exchange' | 'uiLocales' | 'now'> &
  Partial<Pick<OwnRequest, 'session' | 'fields'>>

/**
 * Begins a sign-in and sends the browser to the provider. Throws `ProviderUnknownError` and
 * `PushFailedError`.
 */
export async function sendToProvider(
  { context, exchange, uiLocales, now, session, fields }: Sent,
  destination: Destination,
  { attempt = 0, prompted }: Pick<SignInRequest, 'attempt' | 'prompted'> = {},
): Promise<Answer> {
  const { cookies, config, signIn, random, provider } = context
  // What nobody has asked for yet shall cost the provider nothing.
  if (provider.pushes() && isPrefetch(exchange.incoming.headers)) {
    return jsonAnswer(
      401,
      { error: 'sign_in_required', request_id: exchange.requestId },
      { 'WWW-Authenticate': 'Bearer realm="stepgate"' },
    )
  }
  const [known] = readBrowserCookies(exchange.incoming.headers.cookie, cookies.browser)
  const hint = loginHint(config.oidc.request.loginHint, fields?.get('login_hint'), session)
  const request = {
    ...destination,
    browser: known?.value,
    uiLocales,
    attempt,
    prompted,
    loginHint: hint,
  }
  const { location, newBrowser } = await startSignIn(signIn, request, now)
  const setCookies =
    newBrowser === undefined ? [] : bindBrowser(cookies.browser, newBrowser, random, config)
  return redirectAnswer(seeOther(exchange.incoming), location.href, setCookies)
}
