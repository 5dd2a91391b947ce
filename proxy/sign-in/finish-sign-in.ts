import { timingSafeEqual } from 'node:crypto'
import type { Config } from '../config/config.ts'
import { noteBegun } from '../session/provider-sessions.ts'
import { keepTokens } from '../session/provider-tokens.ts'
import type { Revocations } from '../session/revocations.ts'
import type { Session } from '../session/session.ts'
import { startSession } from '../session/transitions.ts'
import { type Store, StoreUnavailableError } from '../store/store.ts'
import { readIdentity } from './read-identity.ts'
import type { SignInParts } from './start-sign-in.ts'
import {
  browserHash,
  familyOf,
  openTransaction,
  type StepUpWanted,
  TRANSACTION_LIFE,
} from './transaction.ts'

/** The callback as it came; `query` with its `?`. */
export type CallbackRequest = {
  readonly query: string
  /** Values of the browser cookies, in an order that all tabs see. */
  readonly browsers: readonly string[]
  readonly session: Session | undefined
}

/** Where the person wanted to go, by way of the code page or not, and in which languages. */
export type Destination = {
  readonly returnTo: string
  readonly stepUp?: StepUpWanted
  readonly uiLocales?: string
}

export type SignInFinished = { readonly destination: Destination } & (
  | { readonly kind: 'signed-in'; readonly session: Session }
  /** Another tab was faster, or the person went back: there is a newer session already. */
  | { readonly kind: 'already' }
  | { readonly kind: 'failed'; readonly reason: SignInFailure }
)

export type SignInFailure =
  | { readonly kind: 'no-state' }
  | { readonly kind: 'expired' }
  | { readonly kind: 'other-browser'; readonly attempt: number }
  | { readonly kind: 'refused'; readonly error: string; readonly description?: string }
  | { readonly kind: 'invalid'; readonly code: string }
  | { readonly kind: 'missing-claim'; readonly claim: string }
  | { readonly kind: 'unavailable'; readonly part: 'provider' | 'store'; readonly code: string }

/**
 * Finishes a sign-in: state, browser, provider's answer, identity, in this order.
 */
export async function finishSignIn(
  parts: SignInParts & {
    readonly store: Store
    readonly config: Config
    readonly revocations: Pick<Revocations, 'lastEnd'>
  },
  request: CallbackRequest,
  now: number,
): Promise<SignInFinished> {
  const state = new URLSearchParams(request.query).get('state') ?? undefined
  const transaction = await openTransaction(parts.sealer, state, now)
  if (state === undefined || transaction === undefined) {
    return { kind: 'failed', reason: { kind: 'no-state' }, destination: { returnTo: '/' } }
  }
  const { returnTo, stepUp, uiLocales, attempt } = transaction
  const destination = {
    returnTo,
    ...(stepUp !== undefined && { stepUp }),
    ...(uiLocales !== undefined && { uiLocales }),
  }
  const failed = (reason: SignInFailure): SignInFinished => ({
    kind: 'failed',
    reason,
    destination,
  })

  if (request.session !== undefined && request.session.createdAt >= transaction.startedAt) {
    return { kind: 'already', destination }
  }
  if (now - transaction.startedAt > TRANSACTION_LIFE) return failed({ kind: 'expired' })
  const [firstBrowser] = request.browsers
  const isOfTransaction = (value: string) => isSame(browserHash(value), transaction.browser)
  if (firstBrowser === undefined || !request.browsers.some(isOfTransaction)) {
    // A tab that set out just before it got the session of another, and lost its cookie to it.
    if (request.session !== undefined) return { kind: 'already', destination }
    return failed({ kind: 'other-browser', attempt })
  }

  if (!parts.provider.isKnown()) return failed(unavailable('provider', 'provider_unknown'))
  const callback = new URL(parts.redirectUri)
  callback.search = request.query
  const redeemed = await parts.provider.redeem(callback, { ...transaction, state })
  if (redeemed.kind === 'unavailable') return failed(unavailable('provider', redeemed.code))
  if (redeemed.kind !== 'signed-in') return failed(redeemed)

  const read = readIdentity(redeemed.claims, parts.config, now)
  if (read.kind === 'missing') return failed({ kind: 'missing-claim', claim: read.claim })

  const { subject } = read.identity
  const { session: before } = request
  // Of tabs that set out at the same moment each has a cookie of its own. All of them see the same
  // one first, so that one code serves all.
  const family = before?.subject === subject ? before.family : familyOf(firstBrowser)
  const identity = { ...read.identity, ...(uiLocales !== undefined && { locale: uiLocales }) }
  const outlived = parts.revocations.lastEnd(subject, now)
  const session = startSession(identity, { id: parts.random.id(), family, outlived, now })
  const end = now + parts.config.session.lifetime
  try {
    await Promise.all([
      keepTokens(parts, family, { idToken: redeemed.idToken, checkedAt: now }, end, now),
      noteBegun(parts, session, end, now),
    ])
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error
    return failed(unavailable('store', error.code))
  }
  return { kind: 'signed-in', session, destination }
}

function unavailable(part: 'provider' | 'store', code: string): SignInFailure {
  return { kind: 'unavailable', part, code }
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
}
