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
  /** What the browser is known by; undefined: it has no such cookie yet. */
  readonly browser: string | undefined
  readonly uiLocales?: string | undefined
  readonly attempt?: number | undefined
  /** Whom the provider may expect. */
  readonly loginHint?: string | undefined
}

/** Where to send the browser, and what it is known by from here on when it wasn't before. */
export type SignInStarted = { readonly location: URL; readonly newBrowser?: string }

/** Begins a sign-in; throws `ProviderUnknownError` before discovery. */
export async function startSignIn(
  parts: SignInParts,
  request: SignInRequest,
  now: number,
): Promise<SignInStarted> {
  const browser = request.browser ?? parts.random.id()
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
    ...(request.loginHint !== undefined && { loginHint: request.loginHint }),
  })
  return { location, ...(request.browser === undefined && { newBrowser: browser }) }
}
