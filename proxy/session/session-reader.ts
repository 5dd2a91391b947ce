import { LRUCache } from 'lru-cache'
import { freezeSession, readSession } from './read-session.ts'
import type { Sealer } from './sealed.ts'
import type { Session } from './session.ts'
import { expiresAt, isLive, type SessionLimits } from './transitions.ts'

/** Sessions out of cookies and into them. */
export type SessionReader = {
  /**
   * The hot path: the session of a cookie value that was read or sealed before, if it is still
   * alive, undefined if it is not, and `unknown` when the value has to be read.
   */
  peek(sealed: string, now: number): Session | undefined | 'unknown'
  /** The session of any cookie value; undefined for all that is not a live session of ours. */
  read(sealed: string, now: number): Promise<Session | undefined>
  /** Whose session a cookie value is or was: nobody else may have what was typed in it. */
  subjectOf(sealed: string): Promise<string | undefined>
  /** The cookie value of a session. */
  seal(session: Session, now: number): Promise<string>
}

export type SessionReaderParts = {
  readonly sealer: Sealer
  readonly limits: SessionLimits
  /** Asked on every read, so it must be quick. */
  readonly isRevoked: (session: Session) => boolean
  /** Sessions remembered at most. */
  readonly capacity?: number
}

const TYP = 'session'
const CAPACITY = 50_000
const MAX_REMEMBERED_BYTES = 128 * 1024 * 1024

/** Limits and revocation are judged each time; what is remembered is the unsealing alone. */
export function createSessionReader(parts: SessionReaderParts): SessionReader {
  const { sealer, limits, isRevoked, capacity = CAPACITY } = parts
  // Only what was sealed by us gets in, so a flood of rubbish pushes nobody out.
  const known = new LRUCache<string, Session>({
    max: capacity,
    maxSize: MAX_REMEMBERED_BYTES,
    // The session's own strings take about as much as its seal.
    sizeCalculation: (_session, sealed) => 2 * sealed.length,
  })

  function judge(session: Session, now: number): Session | undefined {
    return isLive(session, limits, now) && !isRevoked(session) ? session : undefined
  }

  function remember(sealed: string, session: Session): void {
    // A copy: a piece cut out of a Cookie header would keep the whole header in memory.
    known.set(Buffer.from(sealed, 'latin1').toString('latin1'), session)
  }

  return {
    peek(sealed, now) {
      const session = known.get(sealed)
      return session === undefined ? 'unknown' : judge(session, now)
    },
    async read(sealed, now) {
      const session = readSession(await sealer.unseal(TYP, sealed, now))
      if (session === undefined) return undefined
      const live = judge(session, now)
      if (live !== undefined) remember(sealed, live)
      return live
    },
    async subjectOf(sealed) {
      return readSession(await sealer.unsealPast(TYP, sealed))?.subject
    },
    async seal(session, now) {
      const sealed = await sealer.seal(TYP, session, expiresAt(session, limits), now)
      // It comes back with the next request.
      remember(sealed, freezeSession(session))
      return sealed
    },
  }
}
