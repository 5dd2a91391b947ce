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
  /** How long ago (ms) the person may have signed in at the provider. */
  readonly signedInWithin?: number | undefined
  /** The provider is to ask the person in any case. */
  readonly prompted?: true | undefined
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
  const { uiLocales, returnTo, stepUp, signedInWithin, prompted } = request
  const state = await sealTransaction(
    parts.sealer,
    {
      browser: browserHash(browser),
      nonce,
      codeVerifier,
      returnTo,
      ...(stepUp !== undefined && { stepUp }),
      ...(signedInWithin !== undefined && { signedInWithin }),
      ...(prompted !== undefined && { prompted }),
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
    ...(signedInWithin !== undefined && { maxAge: Math.floor(signedInWithin / 1000) }),
    ...(prompted !== undefined && { prompt: 'login' as const }),
  })
  return { location, ...(request.browser === undefined && { newBrowser: browser }) }
}
