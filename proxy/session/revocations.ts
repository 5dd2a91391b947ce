import { describeError, type Log, type LogFields } from '../log.ts'
import type { Store } from '../store/store.ts'
import { createEndedSessions, type EndedSessions } from './ended-sessions.ts'

/** Which sessions are dead, known in memory so that the hot path asks no store. */
export type Revocations = Pick<
  EndedSessions,
  'isOver' | 'isRevoked' | 'hasSidEnded' | 'lastEnd'
> & {
  /**
   * Ends a session id or family, or what `endOfSid` and `endOfSubject` name, here at once and, by
   * the store, in every process; answers whether the store has it. If it does not take it now, it is
   * tried again until it does, and the log has `fields`. `expiresAt` is when no cookie of it can be
   * alive any more (epoch ms).
   */
  revoke(id: string, expiresAt: number, fields?: LogFields): Promise<boolean>
  /** Calls back whenever something was revoked, here or in another process, once it is known. */
  subscribe(onRevoked: () => void): void
  /** Writes what is not written yet if the store takes it now. */
  close(): Promise<void>
}

const POLL = 500

// All that a store has lost is written again, but must not keep it from what is new.
const WRITTEN_AT_ONCE = 1000

// A clock that jumps forward for a moment must not make a process forget who has signed out.
const KEPT_LONGER = 24 * 60 * 60_000

/**
 * Loads what has been revoked and goes on reading what other processes revoke, twice a second; what
 * the store has lost meanwhile is written again. Throws `StoreUnavailableError` when the first read
 * fails: without it old cookies would live.
 */
export async function watchRevocations(
  store: Store,
  clock: () => number,
  log: Log,
): Promise<Revocations> {
  const ended = createEndedSessions()
  const unwritten = new Map<string, number>()
  const subscribers: (() => void)[] = []
  let cursor = 0
  let timer: NodeJS.Timeout | undefined
  let closed = false

  async function read(): Promise<void> {
    const now = clock()
    const news = await store.revocations(cursor, now)
    cursor = news.cursor
    ended.forget(now)
    if (news.lost) for (const [id, expiresAt] of ended.all()) unwritten.set(id, expiresAt)
    for (const { id, expiresAt } of news.ids) ended.learn(id, expiresAt, now)
    if (news.ids.length > 0) tell()
  }

  function tell(): void {
    for (const onRevoked of subscribers) onRevoked()
  }

  async function write(): Promise<void> {
    const some = [...unwritten.entries().take(WRITTEN_AT_ONCE)]
    await Promise.all(some.map(([id, expiresAt]) => writeOne(id, expiresAt)))
  }

  async function writeOne(id: string, expiresAt: number): Promise<void> {
    await store.revoke(id, expiresAt)
    if (unwritten.get(id) === expiresAt) unwritten.delete(id)
  }

  const tryToRead = complainingOnce(read, 'read', log)
  const tryToWrite = complainingOnce(write, 'written', log)

  async function poll(): Promise<void> {
    await Promise.all([tryToWrite(), tryToRead()])
    if (!closed) pollLater()
  }

  function pollLater(): void {
    timer = setTimeout(poll, POLL).unref()
  }

  await read()
  pollLater()
  return {
    isOver: ended.isOver,
    isRevoked: ended.isRevoked,
    hasSidEnded: ended.hasSidEnded,
    lastEnd: ended.lastEnd,
    async revoke(id, expiresAt, fields) {
      const until = expiresAt + KEPT_LONGER
      ended.learn(id, until, clock())
      unwritten.set(id, until)
      tell()
      try {
        await writeOne(id, until)
        return true
      } catch (error) {
        log.error('A revocation is not written yet', { ...fields, ...describeError(error) })
        return false
      }
    },
    subscribe: (onRevoked) => void subscribers.push(onRevoked),
    async close() {
      closed = true
      clearTimeout(timer)
      await tryToWrite()
    },
  }
}

/** The work, which goes on to be tried; the log hears of its first failure, and of the end of it. */
function complainingOnce(
  work: () => Promise<void>,
  done: 'read' | 'written',
  log: Log,
): () => Promise<void> {
  let failing = false
  return async () => {
    try {
      await work()
      if (failing) log.info(`Revocations are ${done} again`)
      failing = false
    } catch (error) {
      if (!failing) log.error(`Revocations can not be ${done}`, describeError(error))
      failing = true
    }
  }
}
