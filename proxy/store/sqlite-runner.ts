import { setTimeout as sleep } from 'node:timers/promises'
import { isBusy, openSqliteFile, type SqliteFile } from './sqlite-file.ts'
import { StoreUnavailableError } from './store.ts'

/** Runs work on a database file, opens it when needed and again after a fault. */
export type SqliteRunner = {
  /** Work that only reads, in one statement. */
  read<T>(work: (file: SqliteFile) => T): Promise<T>
  /**
   * Work in a transaction that no other process's write can come between. What comes in one turn of
   * the event loop shares one, for it is the commit that costs; if one fails, all of it has.
   */
  write<T>(work: (file: SqliteFile) => T): Promise<T>
  close(): Promise<void>
}

// 80 tries in 840 ms and some at last 20 ms apart: one second for a lock to go, in which the
// process goes on with everything else.
const WAITS = Array.from({ length: 88 }, (_, index) => Math.min(1 + Math.floor(index / 4), 20))

/**
 * The runner of one file. Whatever goes wrong is a `StoreUnavailableError`, after about a second
 * when another process holds the lock, else at once. After a fault of the file itself, or when it
 * was removed or replaced, it is opened anew by the next call.
 */
export function createSqliteRunner(path: string, maxBytes: number): SqliteRunner {
  let file: SqliteFile | undefined
  let seenInPlace = false
  let closed = false
  let waiting: Waiting[] = []

  function current(): SqliteFile {
    if (closed) throw new Error('The store is closed')
    if (file !== undefined && !seenInPlace) {
      if (!file.isInPlace()) throw new Error(`The store's file ${path} was removed or replaced`)
      // Once in a turn of the event loop is enough.
      seenInPlace = true
      setImmediate(() => {
        seenInPlace = false
      })
    }
    file ??= openSqliteFile(path, maxBytes)
    return file
  }

  function attempt<T>(work: (file: SqliteFile) => T): T {
    try {
      return work(current())
    } catch (error) {
      // To close it rolls back, and is what heals after most faults of a disk.
      if (!isBusy(error) || file?.db.isTransaction) discard()
      throw error
    }
  }

  function discard(): void {
    const broken = file
    file = undefined
    try {
      broken?.close()
    } catch {
      // It is given up in any case; the error that led here is the one to report.
    }
  }

  async function run<T>(work: (file: SqliteFile) => T): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        return attempt(work)
      } catch (error) {
        const wait = WAITS[tries]
        if (wait === undefined || !isBusy(error)) throw new StoreUnavailableError(error)
        await sleep(wait)
      }
    }
  }

  async function writeWaiting(): Promise<void> {
    const turn = waiting
    waiting = []
    try {
      await run((open) => inTransaction(open, turn))
      for (const { done } of turn) done()
    } catch (error) {
      for (const { failed } of turn) failed(error)
    }
  }

  return {
    read: run,
    write: (work) =>
      new Promise((resolve, failed) => {
        let result: ReturnType<typeof work>
        const done = () => resolve(result)
        const job = (open: SqliteFile) => {
          result = work(open)
        }
        waiting.push({ job, done, failed })
        if (waiting.length === 1) setImmediate(writeWaiting)
      }),
    async close() {
      closed = true
      discard()
    },
  }
}

type Waiting = {
  job(file: SqliteFile): void
  done(): void
  failed(error: unknown): void
}

function inTransaction(file: SqliteFile, turn: readonly Waiting[]): void {
  file.statement('BEGIN IMMEDIATE').run()
  for (const { job } of turn) job(file)
  file.statement('COMMIT').run()
}
