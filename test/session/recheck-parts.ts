import type { ClaimsRequest } from '../../proxy/config/config.ts'
import { createKeptGroups } from '../../proxy/session/kept-groups.ts'
import { findTokens, keepTokens } from '../../proxy/session/provider-tokens.ts'
import { createRecheck } from '../../proxy/session/recheck.ts'
import { checkedPart } from '../../proxy/session/refresh-tokens.ts'
import { createSealer } from '../../proxy/session/sealed.ts'
import type { Session } from '../../proxy/session/session.ts'
import type { Claims, Refreshed } from '../../proxy/sign-in/provider.ts'
import type { Store } from '../../proxy/store/store.ts'
import { CONFIG, countingRandom, keptLog } from '../sign-in/parts.ts'
import { HOUR, MINUTE, NOW, sampleSession } from './session-sample.ts'

export const INTERVAL = 5 * MINUTE
export const GRACE = HOUR
/** When a request no longer goes on while the provider is asked. */
export const LATE = INTERVAL + INTERVAL / 10

const SECRET = 'a secret for the tests of rechecks'
const CLAIMS = { sub: 'subject-1', preferred_username: 'alice', email: 'alice@example.com' }

/**
 * A provider that gives a new refresh token each time, and ends the grant when an old one comes: as
 * RFC 9700 §4.14.2 has it.
 */
export function rotatingProvider() {
  const state = {
    token: 'token-0',
    ended: false,
    asked: 0,
    groups: ['new'] as readonly string[],
    /** What becomes of an answer on its way. */
    answer: (refreshed: Refreshed): Refreshed | Promise<Refreshed> => refreshed,
    claims: {} as Claims | undefined,
  }
  return {
    state,
    async refresh(token: string): Promise<Refreshed> {
      const n = ++state.asked
      state.ended ||= token !== state.token
      if (state.ended) return state.answer({ kind: 'refused', error: 'invalid_grant' })
      state.token = `token-${n}`
      const all = { ...CLAIMS, groups: state.groups, ...state.claims }
      const claims = state.claims === undefined ? {} : { claims: all }
      return state.answer({ kind: 'refreshed', ...claims, refreshToken: state.token })
    },
  }
}

/** One process over a store, with a clock that all of them share. */
export function createProcess(
  store: Store,
  provider: Pick<ReturnType<typeof rotatingProvider>, 'refresh'>,
  clock: { now: number },
  {
    patience = 10_000,
    grace = GRACE,
    secrets = [SECRET] as [string, ...string[]],
    claims = undefined as ClaimsRequest | undefined,
  } = {},
) {
  const sealer = createSealer(secrets, { maxLength: 1024 * 1024 })
  const { log, lines } = keptLog()
  const revoked = new Set<string>()
  const cookies = new Map<string, Session>()
  const keptGroups = createKeptGroups({ store, sealer, lifetime: 12 * HOUR })
  const tokens = { store, sealer, random: countingRandom() }
  const recheck = createRecheck({
    ...tokens,
    keptGroups,
    provider,
    config: {
      ...CONFIG,
      session: { ...CONFIG.session, recheckGrace: grace },
      oidc: { ...CONFIG.oidc, request: { ...CONFIG.oidc.request, claims } },
    } as never,
    clock: () => clock.now,
    patience,
    log,
    sessions: { replace: (sealed, session) => void cookies.set(sealed, session) },
    revocations: {
      isOver: ({ family }) => revoked.has(family),
      isRevoked: ({ id, family }) => revoked.has(id) || revoked.has(family),
      revoke: async (family) => {
        revoked.add(family)
        return true
      },
    },
  })
  return {
    recheck,
    tokens,
    lines,
    revoked,
    ended: () => lines.filter(({ message }) => message === 'session.ended'),
    /** Keeps what a sign-in at `session.checkedAt` would. */
    begin: async (session: Session) =>
      keepTokens(
        tokens,
        session.family,
        {
          idToken: 'the.id.token',
          refreshToken: 'token-0',
          checkedAt: session.checkedAt ?? 0,
          identity: await keptGroups.pack(checkedPart(session), NOW + 12 * HOUR, NOW),
        },
        NOW + 12 * HOUR,
        NOW,
      ),
    stored: async (session: Session) =>
      (await findTokens(tokens, session.family, clock.now))?.tokens,
    /** A request with a cookie: as the session reader has it. */
    request: (session: Session, cookie = 'cookie') =>
      recheck.inForce(cookie, cookies.get(cookie) ?? session, clock.now),
  }
}

/** Checked just now. */
export function checkedSession(changes: Partial<Session> = {}): Session {
  return sampleSession({ createdAt: NOW, checkedAt: NOW, groups: ['old'], ...changes })
}
