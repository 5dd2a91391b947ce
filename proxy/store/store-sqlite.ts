import {
  addStrike,
  addToWindows,
  readStrike,
  readWindow,
  type StrikeRecord,
  type WindowRecord,
  waiveStrike,
} from './counting.ts'
import type { SqliteFile } from './sqlite-file.ts'
import { createSqliteRunner } from './sqlite-runner.ts'
import type { Store } from './store.ts'

const PURGE_EVERY = 16
const PURGE_ROWS = 100
const PURGED = ['value', 'strike', 'count_window', 'revocation']
const GIGABYTE = 2 ** 30

/**
 * A store in one SQLite file (WAL) that the processes of one machine share. It is opened by the
 * first operation. The file grows to at most `maxBytes`; what has expired is purged by writes.
 */
export function createSqliteStore(path: string, maxBytes = GIGABYTE): Store {
  const runner = createSqliteRunner(path, maxBytes)
  let clock = 0
  let writes = 0

  function write<T>(work: (file: SqliteFile) => T, now = clock): Promise<T> {
    clock = now
    return runner.write((file) => {
      if (writes++ % PURGE_EVERY === 0) purge(file, now)
      return work(file)
    })
  }

  return {
    get: (key, now) => runner.read((file) => readValue(file, key, now)),
    put: (key, value, expiresAt) => write((file) => writeValue(file, key, value, expiresAt)),
    swap: (key, expected, value, expiresAt, now) =>
      write((file) => {
        const present = readValue(file, key, now)
        if (present !== expected) return { kind: 'conflict', value: present }
        writeValue(file, key, value, expiresAt)
        return { kind: 'stored' }
      }, now),
    take: (key, now) =>
      write((file) => {
        const value = readValue(file, key, now)
        file.statement('DELETE FROM value WHERE key = ?').run(key)
        return value
      }, now),
    remove: (key) =>
      write((file) => {
        for (const table of ['value', 'strike', 'count_window']) {
          file.statement(`DELETE FROM ${table} WHERE key = ?`).run(key)
        }
      }),
    strike: (key, waits, expiresAt, now) =>
      write((file) => {
        const record = readStrikeRecord(file, key)
        const next = addStrike(record, waits, expiresAt, now)
        if (next === undefined) return readStrike(record, now)
        writeStrikeRecord(file, key, next)
        return { kind: 'counted', count: next.count, until: next.until }
      }, now),
    waive: (key, nth, left, now) =>
      write((file) => {
        const waived = waiveStrike(readStrikeRecord(file, key), nth, left, now)
        if (waived !== undefined) writeStrikeRecord(file, key, waived)
      }, now),
    strikes: (key, now) => runner.read((file) => readStrike(readStrikeRecord(file, key), now)),
    count: (windows, now) =>
      write((file) => {
        const records = windows.map(({ key }) => readWindowRecord(file, key))
        const result = addToWindows(windows, records, now)
        if (result.kind === 'full') return result
        for (const [index, record] of result.records.entries()) {
          writeWindow(file, windows[index]?.key ?? '', record)
        }
        return { kind: 'counted' }
      }, now),
    counts: (keys, now) =>
      runner.read((file) => keys.map((key) => readWindow(readWindowRecord(file, key), now))),
    uncount: (keys, now) =>
      write((file) => {
        for (const key of keys) uncountWindow(file, key, now)
      }, now),
    revoke: (id, expiresAt) => write((file) => writeRevocation(file, id, expiresAt)),
    revocations: (cursor, now) => runner.read((file) => readRevocations(file, cursor, now)),
    ping: () => write(tryRoom),
    close: runner.close,
  }
}

function purge(file: SqliteFile, now: number): void {
  for (const table of PURGED) {
    file
      .statement(
        `DELETE FROM ${table} WHERE key IN
          (SELECT key FROM ${table} WHERE expires_at <= ? LIMIT ${PURGE_ROWS})`,
      )
      .run(now)
  }
}

function readValue(file: SqliteFile, key: string, now: number): string | undefined {
  const row = file
    .statement('SELECT value FROM value WHERE key = ? AND expires_at > ?')
    .get(key, now)
  return row?.value as string | undefined
}

function writeValue(file: SqliteFile, key: string, value: string, expiresAt: number): void {
  file
    .statement(
      `INSERT INTO value (key, value, expires_at) VALUES (?, ?, ?) ON CONFLICT (key)
        DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at`,
    )
    .run(key, value, expiresAt)
}

function readStrikeRecord(file: SqliteFile, key: string): StrikeRecord | undefined {
  return file
    .statement('SELECT count, until, expires_at AS expiresAt FROM strike WHERE key = ?')
    .get(key) as StrikeRecord | undefined
}

function writeStrikeRecord(file: SqliteFile, key: string, record: StrikeRecord): void {
  file
    .statement('INSERT OR REPLACE INTO strike (key, count, until, expires_at) VALUES (?, ?, ?, ?)')
    .run(key, record.count, record.until, record.expiresAt)
}

function readWindowRecord(file: SqliteFile, key: string): WindowRecord | undefined {
  return file
    .statement('SELECT count, expires_at AS endsAt FROM count_window WHERE key = ?')
    .get(key) as WindowRecord | undefined
}

function writeWindow(file: SqliteFile, key: string, record: WindowRecord): void {
  file
    .statement('INSERT OR REPLACE INTO count_window (key, count, expires_at) VALUES (?, ?, ?)')
    .run(key, record.count, record.endsAt)
}

function uncountWindow(file: SqliteFile, key: string, now: number): void {
  file
    .statement(
      'UPDATE count_window SET count = count - 1 WHERE key = ? AND count > 0 AND expires_at > ?',
    )
    .run(key, now)
}

function writeRevocation(file: SqliteFile, id: string, expiresAt: number): void {
  // One that is prolonged gets a new place, so that readers who are past the old one see it.
  file.statement('DELETE FROM revocation WHERE key = ? AND expires_at < ?').run(id, expiresAt)
  file
    .statement('INSERT INTO revocation (key, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING')
    .run(id, expiresAt)
}

function readRevocations(file: SqliteFile, cursor: number, now: number) {
  const last = file.statement("SELECT seq FROM sqlite_sequence WHERE name = 'revocation'").get()
  const lost = cursor > ((last?.seq as number | undefined) ?? 0)
  const from = lost ? 0 : cursor
  const rows = file
    .statement(
      `SELECT seq, key AS id, expires_at AS expiresAt FROM revocation
        WHERE seq > ? AND expires_at > ? ORDER BY seq`,
    )
    .all(from, now) as { seq: number; id: string; expiresAt: number }[]
  const ids = rows.map(({ id, expiresAt }) => ({ id, expiresAt }))
  return { ids, cursor: rows.at(-1)?.seq ?? from, lost }
}

/** Fails when the file can't take a few more pages. */
function tryRoom(file: SqliteFile): void {
  writeValue(file, 'ping', ' '.repeat(8192), 0)
  file.statement('DELETE FROM value WHERE key = ?').run('ping')
}
