import { timingSafeEqual } from 'node:crypto'
import type { Config } from '../config/config.ts'
import { isSignedInWithin } from '../policy/satisfies.ts'
import type { KeptGroups } from '../session/kept-groups.ts'
import { noteBegun } from '../session/provider-sessions.ts'
import { keepTokens } from '../session/provider-tokens.ts'
import { checkedPart } from '../session/refresh-tokens.ts'
import type { Revocations } from '../session/revocations.ts'
import type { Session } from '../session/session.ts'
import { keepCode, startSession } from '../session/transitions.ts'
import { type Store, StoreUnavailableError } from '../store/store.ts'
import { readIdentity } from './read-identity.ts'
import { unmetClaim } from './requested-claims.ts'
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
  /** How long ago (ms) the person may have signed in at the provider. */
  readonly signedInWithin?: number
  readonly uiLocales?: string
}

export type SignInFinished = { readonly destination: Destination } & (
  | { readonly kind: 'signed-in'; readonly session: Session }
  /** Another tab was faster, or the person went back: there is a newer session already. */
  | { readonly kind: 'already' }
  /**
   * They have signed out everywhere since the provider asked them last, or its session is one whose
   * end it has told: it is to ask.
   */
  | { readonly kind: 'not-asked' }
  | { readonly kind: 'failed'; readonly reason: SignInFailure }
)

export type SignInFailure =
  | { readonly kind: 'no-state' }
  | { readonly kind: 'expired' }
  | { readonly kind: 'other-browser'; readonly attempt: number }
  | { readonly kind: 'refused'; readonly error: string; readonly description?: string }
  | { readonly kind: 'invalid'; readonly code: string }
  | { readonly kind: 'missing-claim'; readonly claim: string }
  /** It was longer ago than asked for. `prompted`: although the provider was told to ask. */
  | { readonly kind: 'not-fresh'; readonly within: number; readonly prompted: boolean }
  /** The provider has told of the end of this session of its own, although it was told to ask. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'unavailable'; readonly part: 'provider' | 'store'; readonly code: string }

/**
 * Finishes a sign-in: state, browser, provider's answer, identity, its age, in this order.
 */
export async function finishSignIn(
  parts: SignInParts & {
    readonly store: Store
    readonly keptGroups: KeptGroups
    readonly config: Config
    readonly revocations: Pick<Revocations, 'hasSidEnded' | 'lastEnd'>
  },
  request: CallbackRequest,
  now: number,
): Promise<SignInFinished> {
  const state = new URLSearchParams(request.query).get('state') ?? undefined
  const transaction = await openTransaction(parts.sealer, state, now)
  if (state === undefined || transaction === undefined) {
    return { kind: 'failed', reason: { kind: 'no-state' }, destination: { returnTo: '/' } }
  }
  const { returnTo, stepUp, signedInWithin, uiLocales, attempt } = transaction
  const destination = {
    returnTo,
    ...(stepUp !== undefined && { stepUp }),
    ...(signedInWithin !== undefined && { signedInWithin }),
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

  const unmet = unmetClaim(parts.config.oidc.request.claims, redeemed.claims)
  if (unmet !== undefined) return failed({ kind: 'missing-claim', claim: unmet })
  const read = readIdentity(redeemed.claims, parts.config, now)
  if (read.kind === 'missing') return failed({ kind: 'missing-claim', claim: read.claim })

  if (signedInWithin !== undefined && !isSignedInWithin(read.identity, signedInWithin, now)) {
    const prompted = transaction.prompted === true
    return failed({ kind: 'not-fresh', within: signedInWithin, prompted })
  }

  const { subject, sid } = read.identity
  const hasEnded = sid !== undefined && parts.revocations.hasSidEnded(sid)
  const leftAt = parts.revocations.lastEnd(subject, now, 'everywhere')
  // Once: a provider that does not ask even then has no other way in.
  if (transaction.prompted !== true && (hasEnded || isSignedInBefore(read.identity, leftAt))) {
    return { kind: 'not-asked', destination }
  }
  if (hasEnded) return failed({ kind: 'ended' })
  const { session: before } = request
  // Of tabs that set out at the same moment each has a cookie of its own. All of them see the same
  // one first, so that one code serves all.
  const family = before?.subject === subject ? before.family : familyOf(firstBrowser)
  const identity = { ...read.identity, ...(uiLocales !== undefined && { locale: uiLocales }) }
  const lastEndBefore = parts.revocations.lastEnd(subject, now)
  const fresh = startSession(identity, { id: parts.random.id(), family, lastEndBefore, now })
  const started = before?.subject === subject ? keepCode(fresh, before) : fresh
  const { lifetime, recheck } = parts.config.session
  const end = now + lifetime
  const { idToken, refreshToken } = redeemed
  const checkable = refreshToken !== undefined && recheck !== Number.POSITIVE_INFINITY
  const session = checkable ? { ...started, checkedAt: now } : started
  try {
    const checked = checkable && {
      refreshToken,
      identity: await parts.keptGroups.pack(checkedPart(session), end, now),
    }
    await Promise.all([
      keepTokens(parts, family, { idToken, checkedAt: now, ...checked }, end, now),
      noteBegun(parts, session, end, now),
    ])
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error
    return failed(unavailable('store', error.code))
  }
  return { kind: 'signed-in', session, destination }
}

/** `auth_time` has whole seconds. Where the provider does not say it, nothing is known of it. */
function isSignedInBefore(
  { authTime, authTimeGiven }: Pick<Session, 'authTime' | 'authTimeGiven'>,
  at: number | undefined,
): boolean {
  return authTimeGiven === true && at !== undefined && authTime + 1000 <= at
}

function unavailable(part: 'provider' | 'store', code: string): SignInFailure {
  return { kind: 'unavailable', part, code }
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
}
