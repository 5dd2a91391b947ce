import type { Log } from '../log.ts'
import { describeError } from '../log.ts'
import type { Store } from '../store/store.ts'
import type { Session } from './session.ts'

/** Which sessions are dead, known in memory so that the hot path asks no store. */
export type Revocations = {
  isRevoked(session: Session): boolean
  /**
   * Ends a session id or family here at once and, by the store, in every process. If the store does
   * not take it now, it is tried again until it does. `expiresAt` is when no cookie of it can be
   * alive any more (epoch ms).
   */
  revoke(id: string, expiresAt: number): Promise<void>
  /** Calls back whenever something was revoked, here or in another process, once it is known. */
  subscribe(onRevoked: () => void): void
  close(): void
}

const POLL = 500

// A clock that jumps forward for a moment must not make a process forget who has signed out.
const KEPT_LONGER = 24 * 60 * 60_000

/**
 * Loads what has been revoked and goes on reading what other processes revoke, twice a second.
 * Throws `StoreUnavailableError` when the first read fails: without it old cookies would live.
 */
export async function watchRevocations(
  store: Store,
  clock: () => number,
  log: Log,
): Promise<Revocations> {
  const dead = new Map<string, number>()
  const unwritten = new Map<string, number>()
  const subscribers: (() => void)[] = []
  let cursor = 0
  let failing = false

  async function read(): Promise<void> {
    const now = clock()
    const news = await store.revocations(cursor, now)
    cursor = news.cursor
    for (const { id, expiresAt } of news.ids) dead.set(id, expiresAt)
    for (const [id, expiresAt] of dead) if (expiresAt <= now) dead.delete(id)
    if (news.ids.length > 0) tell()
  }

  function tell(): void {
    for (const onRevoked of subscribers) onRevoked()
  }

  async function write(): Promise<void> {
    for (const [id, expiresAt] of unwritten) {
      await store.revoke(id, expiresAt)
      unwritten.delete(id)
    }
  }

  async function poll(): Promise<void> {
    try {
      await write()
      await read()
      if (failing) log.info('Revocations are read again')
      failing = false
    } catch (error) {
      if (!failing) log.error('Revocations can not be read', describeError(error))
      failing = true
    }
    timer.refresh()
  }

  await read()
  const timer = setTimeout(poll, POLL).unref()
  return {
    isRevoked: (session) => dead.has(session.family) || dead.has(session.id),
    async revoke(id, expiresAt) {
      dead.set(id, expiresAt + KEPT_LONGER)
      unwritten.set(id, expiresAt + KEPT_LONGER)
      tell()
      await write().catch((error: unknown) => {
        log.error('A revocation is not written yet', describeError(error))
      })
    },
    subscribe: (onRevoked) => void subscribers.push(onRevoked),
    close: () => clearTimeout(timer),
  }
}
