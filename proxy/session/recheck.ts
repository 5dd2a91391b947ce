import { LRUCache } from 'lru-cache'
import type { Config } from '../config/config.ts'
import type { Log } from '../log.ts'
import type { EndReason } from '../metrics/counted-fields.ts'
import { memoryOf } from './kept-groups.ts'
import { forgetTokens } from './provider-tokens.ts'
import { type Checked, createRefresher, PATIENCE, type RefresherParts } from './refresh-tokens.ts'
import type { Revocations } from './revocations.ts'
import { knownCheck, type Session } from './session.ts'
import type { SessionReader } from './session-reader.ts'

/** Sessions are asked about at the provider again and again: who is gone there is gone here. */
export type Recheck = {
  /**
   * What is left of a live session, whose cookie has the value `sealed`; undefined when its person
   * has to sign in again. It comes without a promise while no recheck is due and for a short while
   * after that; then it waits for the provider.
   */
  inForce(
    sealed: string,
    session: Session,
    now: number,
  ): Session | undefined | Promise<Session | undefined>
  /**
   * For what stays open without further requests, to be called often: the session as it is now. One
   * that fails is revoked.
   */
  attend(session: Session, now: number): Session
  /** Takes notice of a new session; the log hears of it, once, when none can be rechecked. */
  began(session: Session): void
  /** Writes what the provider gave and the store has not taken yet, if it does so now. */
  close(): Promise<void>
}

/** What this process knows of a family: what was last learned, and when not to ask again before. */
type Known = { readonly checked?: Checked | undefined; readonly retryAt?: number }
/** `held`: another process is asking. */
type Outcome = 'known' | 'unknown' | 'held' | 'ended'

// In ms. How long a provider that failed is left alone.
const RETRY = 30_000
const FAMILIES = 50_000
const MAX_BYTES = 64 * 1024 * 1024

/** The share of the interval for which requests go on while they are being rechecked. */
const SLACK = 0.1

/** Rechecks by refresh tokens. Sessions that came without one are left as they are. */
export function createRecheck(
  parts: RefresherParts & {
    readonly config: Config
    readonly sessions: Pick<SessionReader, 'replace'>
    readonly revocations: Pick<Revocations, 'isOver' | 'isRevoked' | 'revoke'>
    readonly log: Log
  },
): Recheck {
  const { config, sessions, revocations, clock, log, patience = PATIENCE } = parts
  const { recheck: interval, recheckGrace: grace, lifetime } = config.session
  const refresher = createRefresher(parts)
  const knowledge = new LRUCache<string, Known>({
    max: FAMILIES,
    maxSize: MAX_BYTES,
    sizeCalculation: ({ checked }) => 1024 + memoryOf(checked?.identity.groups ?? []),
  })
  const running = new Map<string, Promise<Outcome>>()
  let failing = false
  /** Until when all but the one who asks leave a failing provider alone (epoch ms). */
  let pausedUntil: number | undefined
  let warned = false

  const dueAt = ({ checkedAt }: Session, now: number) =>
    checkedAt === undefined ? Number.POSITIVE_INFINITY : knownCheck(checkedAt, now) + interval
  const slack = interval * SLACK
  const extra = Math.max(grace, slack)
  const retry = Math.min(RETRY, slack)

  /** One at a time for each family in this process; the store sees to it over all of them. */
  function check(session: Session): Promise<Outcome> {
    const { family } = session
    const under = running.get(family)
    if (under !== undefined) return under
    // While it fails, one at a time tries whether it still does.
    if (pausedUntil !== undefined) pausedUntil = clock() + retry
    const work = judge(session).finally(() => running.delete(family))
    running.set(family, work)
    return work
  }

  async function judge(session: Session): Promise<Outcome> {
    const result = await refresher.check(session)
    if (result.kind === 'over') {
      await end(session, result.reason, result.detail)
      return 'ended'
    }
    if (result.kind === 'checked') {
      knowledge.set(session.family, { checked: result })
      if (failing) log.info('Sessions are rechecked again')
      failing = false
      pausedUntil = undefined
      return 'known'
    }
    postpone(session, result.retryIn)
    if (result.isOutage) pause()
    if (result.problem !== undefined) complain(result.problem)
    return result.retryIn === undefined ? 'unknown' : 'held'
  }

  /** For less long than the family is left alone, so that the next to try is another one. */
  function pause(): void {
    pausedUntil = clock() + retry / 2
  }

  function isPaused(now: number): boolean {
    return pausedUntil !== undefined && now < pausedUntil
  }

  function postpone({ family }: Session, wait = retry): void {
    const retryAt = clock() + Math.min(wait, retry)
    knowledge.set(family, { checked: knowledge.peek(family)?.checked, retryAt })
  }

  function complain(code: string): void {
    if (!failing) log.error('Sessions can not be rechecked at the provider', { code })
    failing = true
  }

  async function end(session: Session, reason: EndReason, detail?: string): Promise<void> {
    const { family, subject } = session
    log.audit('session.ended', { subject, reason, detail })
    // First: with the tokens gone, nobody would hear the provider's answer again.
    await revocations.revoke(family, clock() + lifetime, { subject, reason })
    await forgetTokens(parts, family, clock())
    knowledge.delete(family)
  }

  /** For what stays open and is past its grace: perhaps another process knows better. */
  async function lookOnceMore(session: Session): Promise<void> {
    if ((await check(session)) === 'unknown' && !revocations.isOver(session)) {
      await end(session, 'recheck')
    }
  }

  /** The session with what was learned since its cookie was written. */
  function updated(session: Session, now: number): Session {
    const checked = knowledge.get(session.family)?.checked
    const before = knownCheck(session.checkedAt ?? 0, now)
    if (checked === undefined || checked.checkedAt <= before) return session
    if (checked.identity.subject !== session.subject) return session
    const { email: _email, name: _name, claimedPhones: _phones, ...kept } = session
    return { ...kept, ...checked.identity, checkedAt: checked.checkedAt }
  }

  function renew(sealed: string, session: Session, now: number): Session {
    const renewed = updated(session, now)
    if (renewed !== session) sessions.replace(sealed, renewed)
    return renewed
  }

  async function afterCheck(
    sealed: string,
    session: Session,
    now: number,
  ): Promise<Session | undefined> {
    const outcome = await inTime(check(session), patience)
    if (outcome === 'ended' || revocations.isRevoked(session)) return undefined
    if (outcome === undefined) {
      postpone(session)
      pause()
    }
    const renewed = renew(sealed, session, now)
    return now < dueAt(renewed, now) + extra ? renewed : undefined
  }

  return {
    inForce(sealed, found, now) {
      if (now < dueAt(found, now)) return found
      const session = renew(sealed, found, now)
      const due = dueAt(session, now)
      if (now < due) return session
      const retryAt = knowledge.get(session.family)?.retryAt
      const isOver = now >= due + extra
      if (now < (retryAt ?? 0)) return isOver ? undefined : session
      if (isPaused(now) && !isOver) return session
      // That nothing can be learned now is waited for once: then there is the grace.
      const isLate = retryAt === undefined ? now >= due + slack : isOver
      if (isLate) return afterCheck(sealed, session, now)
      void check(session)
      return session
    },
    attend(found, now) {
      if (now < dueAt(found, now)) return found
      const session = updated(found, now)
      const due = dueAt(session, now)
      // An id that was replaced ends no stream.
      if (now < due || revocations.isOver(session)) return session
      const retryAt = knowledge.get(session.family)?.retryAt
      if (now >= due + extra) void lookOnceMore(session)
      else if (now >= (retryAt ?? 0) && !isPaused(now)) void check(session)
      return session
    },
    began({ checkedAt }) {
      if (checkedAt !== undefined || interval === Number.POSITIVE_INFINITY || warned) return
      warned = true
      log.warn(NO_REFRESH_TOKEN)
    },
    close: refresher.close,
  }
}

const NO_REFRESH_TOKEN =
  'The provider gave no refresh token, so sessions can not be rechecked: an account that is disabled there keeps its sessions until they end by themselves. Allow the client refresh tokens; some providers also want offline_access in STEPGATE_OIDC_SCOPES. STEPGATE_SESSION_RECHECK=off accepts it'

/** What comes of it within so many ms, else undefined. */
async function inTime<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms)
  })
  return Promise.race([work, over]).finally(() => clearTimeout(timer))
}
