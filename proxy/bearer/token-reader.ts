import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Config } from '../config/config.ts'
import { describeError, type Log, type LogFields } from '../log.ts'
import { networkOf } from '../request/client-address.ts'
import { CLOCK_SKEW, type Session } from '../session/session.ts'
import type { Claims } from '../sign-in/provider.ts'
import { sometimes } from '../sometimes.ts'
import { endOf } from './check-claims.ts'
import { tokenSession } from './token-session.ts'
import type { VerifyToken } from './verify-token.ts'

/** What a token is good for; `until` is when it expires (epoch ms). */
export type TokenVerdict =
  | { readonly kind: 'accepted'; readonly session: Session; readonly until: number }
  | { readonly kind: 'invalid'; readonly reason: string }
  | { readonly kind: 'unavailable' }

/** Access tokens, each verified and then remembered for a while. */
export type TokenReader = {
  /** The hot path: what is known of a token, or a promise when it has to be verified for `address`. */
  read(token: string, now: number, address: string): TokenVerdict | Promise<TokenVerdict>
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

/** For how long a JWT is believed (ms): its key may be withdrawn before it expires. */
const JWT_FOR = 5 * 60_000

/** For how long the provider is not asked again about a token that is no good (ms). */
const INVALID_FOR = 5_000

/**
 * How many unknown ones are verified at once, and how many of one client, or /64 of IPv6: somebody who
 * makes tokens up must flood neither the provider nor others. One that was good always is.
 */
const AT_ONCE = 100
const AT_ONCE_OF_ONE = 50

/** Tokens are remembered by their hash: the memory of a process is no place for them. */
export function createTokenReader(parts: TokenReaderParts): TokenReader {
  const { verify, config, isRevoked } = parts
  const introspection = config.bearer?.introspection
  const isAsked = introspection !== undefined
  // Apart, so that made-up tokens push no good one out.
  const accepted = new LRUCache<string, Remembered<Accepted>>({ max: ACCEPTED })
  const invalid = new LRUCache<string, Remembered<Invalid>>({ max: INVALID })
  const running = new Map<string, Promise<TokenVerdict>>()
  const networks = new Map<string, string>()
  // Whoever makes tokens up must not fill the log while nobody can say.
  const logFailure = sometimes((fields: LogFields, failures) =>
    parts.log.error('An access token can not be checked', { ...fields, failures }),
  )

  function hasRoom(network: string): boolean {
    const ofOne = networks.values().filter((each) => each === network)
    return networks.size < AT_ONCE && [...ofOne].length < AT_ONCE_OF_ONE
  }

  function judge(verdict: Accepted): TokenVerdict {
    return isRevoked(verdict.session) ? { kind: 'invalid', reason: 'revoked' } : verdict
  }

  async function look(token: string, id: string, now: number): Promise<TokenVerdict> {
    const found = await verify(token, now)
    if (found.kind === 'unavailable') {
      logFailure({ code: found.code }, now)
      return { kind: 'unavailable' }
    }
    const session = found.kind === 'valid' ? tokenSession(found.claims, config, id, now) : undefined
    if (found.kind === 'invalid' || session === undefined) {
      const reason = found.kind === 'invalid' ? found.reason : 'no_subject'
      const verdict = { kind: 'invalid', reason } as const
      accepted.delete(id)
      // To look at a JWT again costs next to nothing, and its key may be known by then.
      if (isAsked) invalid.set(id, { verdict, since: now, to: now + INVALID_FOR })
      return verdict
    }
    const until = endOfToken(found.claims, config, now)
    // The provider's own clock says whether it has expired: from then on it is asked.
    const to = isAsked
      ? Math.min(now + introspection, until - CLOCK_SKEW)
      : Math.min(now + JWT_FOR, until)
    const verdict = { kind: 'accepted', session, until } as const
    accepted.set(id, { verdict, since: now, to })
    return judge(verdict)
  }

  return {
    read(token, now, address) {
      const id = `token:${hash('sha256', token, 'base64url')}`
      const good = accepted.get(id)
      if (isFresh(good, now)) return judge(good.verdict)
      const bad = invalid.get(id)
      if (isFresh(bad, now)) return bad.verdict
      const under = running.get(id)
      if (under !== undefined) return under
      if (good === undefined) {
        const network = networkOf(address)
        if (!hasRoom(network)) return { kind: 'unavailable' }
        networks.set(id, network)
      }
      const looking = look(token, id, now)
        .catch((error: unknown): TokenVerdict => {
          logFailure(describeError(error), now)
          return { kind: 'unavailable' }
        })
        .finally(() => {
          running.delete(id)
          networks.delete(id)
        })
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
