import { setTimeout as sleep } from 'node:timers/promises'
import { isBusy, openSqliteFile, type SqliteFile } from './sqlite-file.ts'
import { StoreUnavailableError } from './store.ts'

/** Runs work on a database file, opens it when needed and again after a fault. */
export type SqliteRunner = {
  /** Work that only reads, in one statement. */
  read<T>(work: (file: SqliteFile) => T): Promise<T>
  /** Work in a transaction that no other process's write can come between. */
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
  let closed = false

  function current(): SqliteFile {
    if (closed) throw new Error('The store is closed')
    if (file !== undefined && !file.isInPlace()) {
      throw new Error(`The store's file ${path} was removed or replaced`)
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

  return {
    read: run,
    write: (work) => run((open) => inTransaction(open, work)),
    async close() {
      closed = true
      discard()
    },
  }
}

function inTransaction<T>(file: SqliteFile, work: (file: SqliteFile) => T): T {
  file.db.exec('BEGIN IMMEDIATE')
  const result = work(file)
  file.db.exec('COMMIT')
  return result
}
