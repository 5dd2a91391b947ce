import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Config } from '../config/config.ts'
import { describeError, type Log } from '../log.ts'
import { CLOCK_SKEW, type Session } from '../session/session.ts'
import type { Claims } from '../sign-in/provider.ts'
import { endOf } from './check-claims.ts'
import { tokenSession } from './token-session.ts'
import type { VerifyToken } from './verify-token.ts'

/** What a token is good for; `until` is when it expires (epoch ms). */
export type TokenVerdict =
  | { readonly kind: 'accepted'; readonly session: Session; readonly until: number }
  | { readonly kind: 'invalid'; readonly reason: string }
  | { readonly kind: 'unavailable' }

/** Access tokens, each verified once and then remembered. */
export type TokenReader = {
  /** The hot path: what is known of a token, or a promise when it has to be verified. */
  read(token: string, now: number): TokenVerdict | Promise<TokenVerdict>
}

export type TokenReaderParts = {
  readonly verify: VerifyToken
  readonly config: Pick<Config, 'oidc' | 'smsCountries' | 'session' | 'bearer'>
  /** Asked on every read, so it must be quick. */
  readonly isRevoked: (session: Session) => boolean
  readonly log: Pick<Log, 'error'>
}

type Accepted = Extract<TokenVerdict, { kind: 'accepted' }>
type Invalid = Extract<TokenVerdict, { kind: 'invalid' }>
type Remembered<Verdict> = {
  readonly verdict: Verdict
  readonly since: number
  readonly to: number
}

const ACCEPTED = 10_000
const INVALID = 1_000

/** For how long the provider is not asked again about a token that is no good (ms). */
const INVALID_FOR = 5_000

/** How many are verified at once; somebody who makes tokens up must not flood the provider. */
const AT_ONCE = 100

/** Tokens are remembered by their hash: the memory of a process is no place for them. */
export function createTokenReader(parts: TokenReaderParts): TokenReader {
  const { verify, config, isRevoked, log } = parts
  const introspection = config.bearer?.introspection
  const isAsked = introspection !== undefined
  // Apart, so that made-up tokens push no good one out.
  const accepted = new LRUCache<string, Remembered<Accepted>>({ max: ACCEPTED })
  const invalid = new LRUCache<string, Remembered<Invalid>>({ max: INVALID })
  const running = new Map<string, Promise<TokenVerdict>>()

  function judge(verdict: Accepted): TokenVerdict {
    return isRevoked(verdict.session) ? { kind: 'invalid', reason: 'revoked' } : verdict
  }

  async function look(token: string, id: string, now: number): Promise<TokenVerdict> {
    const found = await verify(token, now)
    if (found.kind === 'unavailable') {
      log.error('An access token can not be checked', { code: found.code })
      return { kind: 'unavailable' }
    }
    const session = found.kind === 'valid' ? tokenSession(found.claims, config, id, now) : undefined
    if (found.kind === 'invalid' || session === undefined) {
      const reason = found.kind === 'invalid' ? found.reason : 'no_subject'
      const verdict = { kind: 'invalid', reason } as const
      // To look at a JWT again costs next to nothing, and its key may be known by then.
      if (isAsked) invalid.set(id, { verdict, since: now, to: now + INVALID_FOR })
      return verdict
    }
    const until = endOfToken(found.claims, config, now)
    // The provider's own clock says whether it has expired: from then on it is asked.
    const to = isAsked ? Math.min(now + introspection, until - CLOCK_SKEW) : until
    const verdict = { kind: 'accepted', session, until } as const
    accepted.set(id, { verdict, since: now, to })
    return judge(verdict)
  }

  return {
    read(token, now) {
      const id = `token:${hash('sha256', token, 'base64url')}`
      const good = accepted.get(id)
      if (isFresh(good, now)) return judge(good.verdict)
      const bad = invalid.get(id)
      if (isFresh(bad, now)) return bad.verdict
      const under = running.get(id)
      if (under !== undefined) return under
      if (running.size >= AT_ONCE) return { kind: 'unavailable' }
      const looking = look(token, id, now)
        .catch((error: unknown): TokenVerdict => {
          log.error('An access token can not be checked', describeError(error))
          return { kind: 'unavailable' }
        })
        .finally(() => running.delete(id))
      running.set(id, looking)
      return looking
    },
  }
}

/** A clock that went back must not prolong it. */
function isFresh<Verdict>(
  remembered: Remembered<Verdict> | undefined,
  now: number,
): remembered is Remembered<Verdict> {
  return remembered !== undefined && now >= remembered.since && now < remembered.to
}

/** Of a token that does not say, as of a session: it must end some time. */
function endOfToken(claims: Claims, { session }: TokenReaderParts['config'], now: number): number {
  return endOf(claims) ?? now + session.lifetime
}
