import { type Answer, redirectAnswer, seeOther } from '../answer.ts'
import type { OwnRequest } from '../own-route.ts'
import { bindBrowser, readBrowserCookies } from './browser-cookies.ts'
import type { Destination } from './finish-sign-in.ts'
import { type SignInRequest, startSignIn } from './start-sign-in.ts'

/** Begins a sign-in and sends the browser to the provider. Throws `ProviderUnknownError`. */
export async function sendToProvider(
  { context, exchange, uiLocales, now }: Omit<OwnRequest, 'session' | 'fields'>,
  destination: Destination,
  { attempt = 0, prompted }: Pick<SignInRequest, 'attempt' | 'prompted'> = {},
): Promise<Answer> {
  const { cookies, config, signIn, random } = context
  const [known] = readBrowserCookies(exchange.incoming.headers.cookie, cookies.browser)
  const request = { ...destination, browser: known?.value, uiLocales, attempt, prompted }
  const { location, newBrowser } = await startSignIn(signIn, request, now)
  const setCookies =
    newBrowser === undefined ? [] : bindBrowser(cookies.browser, newBrowser, random, config)
  return redirectAnswer(seeOther(exchange.incoming), location.href, setCookies)
}
