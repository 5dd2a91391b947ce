import { type Answer, redirectAnswer, seeOther } from '../answer.ts'
import type { OwnRequest } from '../own-route.ts'
import { readCookie, serializeCookie } from '../session/cookies.ts'
import type { Destination } from './finish-sign-in.ts'
import { startSignIn } from './start-sign-in.ts'

/** Begins a sign-in and sends the browser to the provider. Throws `ProviderUnknownError`. */
export async function sendToProvider(
  { context, exchange, uiLocales, now }: Omit<OwnRequest, 'session' | 'fields'>,
  destination: Destination,
  attempt = 0,
): Promise<Answer> {
  const { cookies, config, signIn } = context
  const browser = readCookie(exchange.incoming.headers.cookie, cookies.browser)
  const started = await startSignIn(signIn, { ...destination, browser, uiLocales, attempt }, now)
  const { location, newBrowser } = started
  const cookie = newBrowser && serializeCookie(cookies.browser, newBrowser, config)
  return redirectAnswer(
    seeOther(exchange.incoming),
    location.href,
    cookie === undefined ? [] : [cookie],
  )
}
