import type { Random } from '../random.ts'
import type { Sealer } from '../session/sealed.ts'
import type { Provider } from './provider.ts'
import { browserHash, type StepUpWanted, sealTransaction } from './transaction.ts'

export type SignInParts = {
  readonly provider: Provider
  readonly sealer: Sealer
  readonly random: Random
  /** Built from the configured public URL, never from a request. */
  readonly redirectUri: URL
}

export type SignInRequest = {
  readonly returnTo: string
  readonly stepUp?: StepUpWanted | undefined
  /** The browser cookie as it came. */
  readonly browser: string | undefined
  readonly uiLocales?: string | undefined
  readonly attempt?: number | undefined
}

/** Where to send the browser, and the browser cookie's value when it needs a new one. */
export type SignInStarted = { readonly location: URL; readonly newBrowser?: string }

const BROWSER_COOKIE = /^[A-Za-z0-9_-]{43}$/

/** Begins a sign-in; throws `ProviderUnknownError` before discovery. */
export async function startSignIn(
  parts: SignInParts,
  request: SignInRequest,
  now: number,
): Promise<SignInStarted> {
  const kept = request.browser?.match(BROWSER_COOKIE)?.[0]
  const browser = kept ?? parts.random.id()
  const nonce = parts.random.id()
  const codeVerifier = parts.random.id()
  const { uiLocales, returnTo, stepUp } = request
  const state = await sealTransaction(
    parts.sealer,
    {
      browser: browserHash(browser),
      nonce,
      codeVerifier,
      returnTo,
      ...(stepUp !== undefined && { stepUp }),
      ...(uiLocales !== undefined && { uiLocales }),
      attempt: request.attempt ?? 0,
      startedAt: now,
    },
    now,
  )
  const location = await parts.provider.authorizationUrl({
    redirectUri: parts.redirectUri,
    state,
    nonce,
    codeVerifier,
    ...(uiLocales !== undefined && { uiLocales }),
  })
  return { location, ...(kept === undefined && { newBrowser: browser }) }
}
