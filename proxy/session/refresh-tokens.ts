import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../config/config.ts'
import { errorCode } from '../error-code.ts'
import type { Provider } from '../sign-in/provider.ts'
import { readIdentity, withUnsaid } from '../sign-in/read-identity.ts'
import { OF_SIGN_IN, unmetClaim } from '../sign-in/requested-claims.ts'
import { ifUnavailable, StoreUnavailableError } from '../store/store.ts'
import type { KeptGroups } from './kept-groups.ts'
import {
  type CheckedIdentity,
  type FoundTokens,
  findTokens,
  type ProviderTokens,
  replaceTokens,
  type TokenParts,
} from './provider-tokens.ts'
import { CLOCK_SKEW, knownCheck, type Session } from './session.ts'

/** What the provider said last, and when (epoch ms). */
export type Checked = { readonly checkedAt: number; readonly identity: CheckedIdentity }

/**
 * `over`: the provider no longer stands by this session. `unknown`: nothing could be learned now;
 * `problem` is a code where that is worth a word to the operator; `retryIn` (ms): somebody else knows
 * more then.
 */
export type CheckResult =
  | (Checked & { readonly kind: 'checked' })
  | {
      readonly kind: 'over'
      readonly reason: 'refused' | 'other_subject' | 'missing_claim'
      readonly detail?: string
    }
  | {
      readonly kind: 'unknown'
      readonly problem?: string
      readonly retryIn?: number
      /** Others would most likely fare the same. */
      readonly isOutage?: boolean
    }

/** Uses the refresh tokens of session families, each by one process at a time. */
export type Refresher = {
  /** What the provider, or another process within the interval, says of a session's family. */
  check(session: Session): Promise<CheckResult>
  close(): Promise<void>
}

export type RefresherParts = TokenParts & {
  readonly keptGroups: KeptGroups
  readonly provider: Pick<Provider, 'refresh'>
  readonly config: Pick<Config, 'oidc' | 'smsCountries' | 'session'>
  readonly clock: () => number
  /** How long a request waits for the provider, or for another process (ms). */
  readonly patience?: number
}

/** In ms. */
export const PATIENCE = 5_000

// In ms. A refresh may take three requests to the provider, and clocks differ.
const HELD = 40_000 + CLOCK_SKEW
const HELD_POLL = 100
const HELD_RETRY = 1_000
const WRITE_RETRY = 1_000

/** Tokens that this process has for itself; `unsure`: their last use has no known outcome. */
type Held = { readonly found: FoundTokens; readonly refreshToken: string; readonly unsure: boolean }

/**
 * Before a refresh token is sent, the store is told so: whoever finds a token that was sent and knows
 * no more takes the provider's refusal of it for the loss of an answer, not for the end of an account.
 */
export function createRefresher(parts: RefresherParts): Refresher {
  const { provider, keptGroups, config, clock, patience = PATIENCE } = parts
  const { recheck: interval } = config.session
  const unwritten = new Map<string, () => Promise<void>>()
  let timer: NodeJS.Timeout | undefined

  async function check(session: Session): Promise<CheckResult> {
    const held = await hold(session)
    return 'kind' in held ? held : use(session, held)
  }

  async function hold(session: Session): Promise<Held | CheckResult> {
    const end = performance.now() + patience
    for (;;) {
      const now = clock()
      const found = await findTokens(parts, session.family, now)
      const identity = found?.tokens.identity
      // Perhaps another process has ended it, which will be known here in a moment.
      if (found === undefined || identity?.subject !== session.subject) return { kind: 'unknown' }
      const { checkedAt, refreshToken, heldUntil = 0, unsure = false } = found.tokens
      if (now < knownCheck(checkedAt, now) + interval) {
        return checked(await whole(identity, now), checkedAt)
      }
      if (refreshToken === undefined) return { kind: 'unknown' }
      if (now < heldUntil) {
        if (performance.now() > end) return { kind: 'unknown', retryIn: HELD_RETRY }
        await sleep(HELD_POLL)
        continue
      }
      const sent = { ...found.tokens, heldUntil: now + HELD, unsure: true }
      const mine = await replaceTokens(parts, session.family, found, sent, now)
      if (mine.replaced) return { found: mine.found, refreshToken, unsure }
    }
  }

  async function use(
    session: Session,
    { found, refreshToken, unsure }: Held,
  ): Promise<CheckResult> {
    const { family, subject, checkedAt = 0 } = session
    const { heldUntil: _held, unsure: _sent, ...tokens } = found.tokens
    const now = clock()
    const refreshed = await provider.refresh(refreshToken, subject)
    const conclude = (result: CheckResult) => confirm(family, found, result)
    switch (refreshed.kind) {
      case 'refreshed': {
        const after = { ...tokens, ...nextOf(refreshed), checkedAt: now }
        const { claims, partial = false } = refreshed
        const before =
          claims === undefined || partial ? await whole(tokens.identity, now) : undefined
        if (claims === undefined || (partial && before === undefined)) {
          await settle(family, found, async () => after)
          return checked(before, now)
        }
        const isJudged = (name: string) => !OF_SIGN_IN.has(name) && (!partial || name in claims)
        const unmet = unmetClaim(config.oidc.request.claims, claims, isJudged)
        if (unmet !== undefined) return conclude(over('missing_claim', unmet))
        const all = before === undefined ? claims : withUnsaid(claims, before, config.oidc)
        const read = readIdentity(all, config, now)
        if (read.kind === 'missing') return conclude(over('missing_claim', read.claim))
        const identity = checkedPart(read.identity)
        await settle(family, found, async () => ({
          ...after,
          identity: await keptGroups.pack(identity, found.expiresAt, clock()),
        }))
        return { kind: 'checked', checkedAt: now, identity }
      }
      case 'refused': {
        // A store that has lost the last recheck has a token that was used already.
        const isOld = unsure || checkedAt >= tokens.checkedAt + interval
        if (!isOld) return conclude(over('refused', refreshed.error))
        const { refreshToken: _spent, ...rest } = tokens
        await settle(family, found, async () => rest)
        return lost('refresh_token_lost')
      }
      case 'other-subject':
        return conclude(over('other_subject'))
      case 'unknown': {
        const isNew = refreshed.refreshToken !== undefined
        const after = { ...nextOf(refreshed), unsure: refreshed.unsure || (unsure && !isNew) }
        await settle(family, found, async () => ({ ...tokens, ...after }))
        return lost(refreshed.code, !isNew)
      }
    }
  }

  async function whole(identity: ProviderTokens['identity'], now: number) {
    return identity && (await keptGroups.unpack<CheckedIdentity>(identity, now))
  }

  /** Writes what came of it, now or as soon as the store takes it. */
  async function settle(
    family: string,
    found: FoundTokens,
    make: () => Promise<ProviderTokens>,
  ): Promise<void> {
    const work = async () => {
      for (let present = found; clock() < found.expiresAt; ) {
        const tokens = await make()
        const now = clock()
        const { replaced, found: other } = await replaceTokens(parts, family, present, tokens, now)
        // Signed out or in meanwhile, or checked by another process, which knows better.
        if (replaced || other?.tokens.signIn !== found.tokens.signIn) return
        if (other === undefined || other.tokens.checkedAt >= tokens.checkedAt) return
        present = other
      }
    }
    await work().catch((error: unknown) => {
      if (!(error instanceof StoreUnavailableError)) throw error
      unwritten.set(family, work)
      timer ??= setTimeout(writeAgain, WRITE_RETRY).unref()
    })
  }

  async function writeAgain(): Promise<void> {
    await writeAll()
    timer = unwritten.size > 0 ? setTimeout(writeAgain, WRITE_RETRY).unref() : undefined
  }

  async function writeAll(): Promise<void> {
    for (const [family, work] of unwritten) {
      const written = await work().then(
        () => true,
        () => false,
      )
      if (!written) return
      if (unwritten.get(family) === work) unwritten.delete(family)
    }
  }

  /**
   * The end of a sign-in is none of the family that has signed in again meanwhile. Whoever finds the
   * tokens, as where this process dies before all know, asks once more and hears the same.
   */
  async function confirm(
    family: string,
    found: FoundTokens,
    result: CheckResult,
  ): Promise<CheckResult> {
    const { unsure: _, ...asBefore } = found.tokens
    // What is over ends also while nobody can say whether there was a new sign-in.
    const mine = await replaceTokens(parts, family, found, asBefore, clock()).catch(ifUnavailable)
    return mine?.replaced === false ? { kind: 'unknown', retryIn: HELD_RETRY } : result
  }

  return {
    check: (session) =>
      check(session).catch((error) => lost(errorCode(error) ?? 'unexpected', true)),
    async close() {
      clearTimeout(timer)
      await writeAll()
    },
  }
}

/** Of an identity, or of a session, what a recheck may change. */
export function checkedPart(whole: CheckedIdentity): CheckedIdentity {
  const { subject, username, email, name, groups, claimedPhones } = whole
  return {
    subject,
    username,
    ...(email !== undefined && { email }),
    ...(name !== undefined && { name }),
    groups,
    ...(claimedPhones !== undefined && { claimedPhones }),
  }
}

function over(
  reason: Extract<CheckResult, { kind: 'over' }>['reason'],
  detail?: string,
): CheckResult {
  return { kind: 'over', reason, ...(detail !== undefined && { detail }) }
}

function checked(identity: CheckedIdentity | undefined, checkedAt: number): CheckResult {
  return identity === undefined ? lost('groups_lost') : { kind: 'checked', checkedAt, identity }
}

function lost(problem: string, isOutage = false): CheckResult {
  return { kind: 'unknown', problem, isOutage }
}

/** The new refresh token, if there is one. */
function nextOf({ refreshToken }: { readonly refreshToken?: string }) {
  return refreshToken === undefined ? {} : { refreshToken }
}
