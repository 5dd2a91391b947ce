import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { errorCode } from '../error-code.ts'

/** An open database file with its statements, each prepared once. */
export type SqliteFile = {
  readonly db: DatabaseSync
  statement(sql: string): StatementSync
  /** Whether the path still names the file that was opened. */
  isInPlace(): boolean
  close(): void
}

/** The file can't be used as a store; the message says why, `cause` is SQLite's own error. */
export class StoreFileError extends Error {
  readonly code = 'store_file'
  constructor(path: string, reason: string, cause?: unknown) {
    super(`The store's file ${path} can not be used: ${reason}`, { cause })
    this.name = 'StoreFileError'
  }
}

const PAGE = 4096
const JOURNAL_PAGES = 4096
// 'STPG': tells our file from another program's.
const APPLICATION_ID = 0x53545047
const SCHEMA_VERSION = 1

// Times are REAL, so that Infinity has its place; expiry is indexed for the purge.
const SCHEMA = `
  CREATE TABLE value (
    key TEXT PRIMARY KEY, value TEXT NOT NULL, expires_at REAL NOT NULL
  ) STRICT;
  CREATE TABLE strike (
    key TEXT PRIMARY KEY, count INTEGER NOT NULL, until REAL NOT NULL, expires_at REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE count_window (
    key TEXT PRIMARY KEY, count INTEGER NOT NULL, expires_at REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE revocation (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, expires_at REAL NOT NULL
  ) STRICT;
  CREATE INDEX value_expiry ON value (expires_at);
  CREATE INDEX strike_expiry ON strike (expires_at);
  CREATE INDEX count_window_expiry ON count_window (expires_at);
  CREATE INDEX revocation_expiry ON revocation (expires_at);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`

/**
 * Opens the file, and makes it and its folder for this user alone when they are not there. Throws
 * SQLite's own error when the file is locked (`isBusy`), else `StoreFileError`.
 */
export function openSqliteFile(path: string, maxBytes: number): SqliteFile {
  let db: DatabaseSync | undefined
  try {
    createPrivately(path)
    // No busy timeout: it would stop the whole process, existing sessions too, while it waits.
    db = new DatabaseSync(path, { timeout: 0, defensive: true })
    prepareDatabase(db, path, maxBytes)
    return asSqliteFile(db, path)
  } catch (error) {
    if (db?.isOpen) db.close()
    if (error instanceof StoreFileError || isBusy(error)) throw error
    throw new StoreFileError(path, error instanceof Error ? error.message : 'unknown', error)
  }
}

function createPrivately(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    // SQLite gives its -wal and -shm files the mode of this one. Only a file that is new is opened
    // here: closing one that SQLite has open would drop its locks (POSIX advisory locks).
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
  }
}

function prepareDatabase(db: DatabaseSync, path: string, maxBytes: number): void {
  db.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON')
  // Throws before another program's database is changed in any way. In one transaction, or a file that
  // another process of ours makes at the same moment would be half seen.
  db.exec('BEGIN')
  isOurs(db, path)
  db.exec('COMMIT')
  // WAL with NORMAL: the end of a process loses nothing; only a power cut can lose the last
  // moments, and a sync of the disk in each write would stop all requests for its time.
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  db.exec(`PRAGMA journal_size_limit = ${JOURNAL_PAGES * PAGE}`)
  // Each checkpoint syncs the disk twice: a log of the size that it may keep anyway needs few.
  db.exec(`PRAGMA wal_autocheckpoint = ${JOURNAL_PAGES}`)
  db.exec(`PRAGMA max_page_count = ${Math.ceil(maxBytes / PAGE)}`)
  // Asked again under the lock, for two processes may open a new file at once.
  db.exec('BEGIN IMMEDIATE')
  if (!isOurs(db, path)) db.exec(SCHEMA)
  db.exec('COMMIT')
}

/** False for an empty file; throws for another program's file and for a newer schema. */
function isOurs(db: DatabaseSync, path: string): boolean {
  const read = (sql: string) => Object.values(db.prepare(sql).get() ?? {})[0]
  const version = read('PRAGMA user_version')
  if (read('PRAGMA application_id') === APPLICATION_ID) {
    if (version === SCHEMA_VERSION) return true
    throw new StoreFileError(
      path,
      `its version is ${version}, and this program knows ${SCHEMA_VERSION}`,
    )
  }
  if (version === 0 && read('SELECT count(*) FROM sqlite_schema') === 0) return false
  throw new StoreFileError(path, "it is another program's database")
}

function asSqliteFile(db: DatabaseSync, path: string): SqliteFile {
  const statements = new Map<string, StatementSync>()
  const opened = identityOf(path)
  return {
    db,
    statement(sql) {
      const known = statements.get(sql)
      if (known !== undefined) return known
      const prepared = db.prepare(sql)
      statements.set(sql, prepared)
      return prepared
    },
    isInPlace: () => opened !== undefined && identityOf(path) === opened,
    close: () => db.close(),
  }
}

function identityOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat && `${stat.dev}:${stat.ino}`
}

/** Another process holds a lock that ends soon: worth trying again (https://sqlite.org/rescode.html). */
export function isBusy(error: unknown): boolean {
  const BUSY = 5
  const PROTOCOL = 15
  if (!(error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'))
    return false
  return [BUSY, PROTOCOL].includes(error.errcode & 0xff)
}
