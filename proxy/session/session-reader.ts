import { LRUCache } from 'lru-cache'
import type { KeptGroups } from './kept-groups.ts'
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
  /**
   * The session of any cookie value; undefined for all that is not a live session of ours. Throws
   * `StoreUnavailableError` where its groups are in the store.
   */
  read(sealed: string, now: number): Promise<Session | undefined>
  /** Whose session a cookie value is or was: nobody else may have what was typed in it. */
  subjectOf(sealed: string): Promise<string | undefined>
  /** The cookie value of a session. Throws `StoreUnavailableError` where its groups are many. */
  seal(session: Session, now: number): Promise<string>
  /** From now on this cookie value, which is known, means this session. */
  replace(sealed: string, session: Session): void
}

export type SessionReaderParts = {
  readonly sealer: Sealer
  readonly limits: SessionLimits
  readonly keptGroups: KeptGroups
  /** Asked on every read, so it must be quick. */
  readonly isRevoked: (session: Session) => boolean
  /** Sessions remembered at most. */
  readonly capacity?: number
}

const TYP = 'session'
const CAPACITY = 50_000
// Beside the groups themselves there is the header that the application is told them by.
const MANY = 40
const BYTES_A_GROUP = 100
const MAX_REMEMBERED_BYTES = 128 * 1024 * 1024

/** Limits and revocation are judged each time; what is remembered is the unsealing alone. */
export function createSessionReader(parts: SessionReaderParts): SessionReader {
  const { sealer, limits, keptGroups, isRevoked, capacity = CAPACITY } = parts
  // Only what was sealed by us gets in, so a flood of rubbish pushes nobody out.
  const known = new LRUCache<string, Session>({
    max: capacity,
    maxSize: MAX_REMEMBERED_BYTES,
    // The session's own strings take about as much as its seal, in which many groups are not.
    sizeCalculation: ({ groups }, sealed) =>
      2 * sealed.length + (groups.length > MANY ? groups.length * BYTES_A_GROUP : 0),
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
      const packed = readSession(await sealer.unseal(TYP, sealed, now))
      // Nobody who is signed out shall cost the store anything.
      if (packed === undefined || judge(packed, now) === undefined) return undefined
      const session = await keptGroups.unpack<Session>(packed, now)
      if (session === undefined || judge(session, now) === undefined) return undefined
      remember(sealed, freezeSession(session))
      return session
    },
    async subjectOf(sealed) {
      return readSession(await sealer.unsealPast(TYP, sealed))?.subject
    },
    async seal(session, now) {
      const end = session.createdAt + limits.lifetime
      const packed = await keptGroups.pack(session, end, now)
      const sealed = await sealer.seal(TYP, packed, expiresAt(session, limits), now)
      // It comes back with the next request.
      remember(sealed, freezeSession(session))
      return sealed
    },
    replace: (sealed, session) => remember(sealed, freezeSession(session)),
  }
}
