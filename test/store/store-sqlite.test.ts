import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, beforeEach, describe, it } from 'node:test'
import { openStore } from '../../proxy/store/open-store.ts'
import { StoreUnavailableError } from '../../proxy/store/store.ts'
import { createSqliteStore } from '../../proxy/store/store-sqlite.ts'
import { sharedByProcesses } from './between-processes.ts'
import { storeContract } from './contract.ts'

const NOW = 1_700_000_000_000
const LATER = NOW + 1000
const folder = mkdtempSync(join(tmpdir(), 'stepgate-store-'))
after(() => rmSync(folder, { recursive: true }))

let files = 0
const newPath = () => join(folder, `${files++}`, 'stepgate.db')

storeContract('the SQLite store', () => createSqliteStore(newPath()))

describe('a file that processes share', () => {
  sharedByProcesses(() => `sqlite:${newPath()}`)

  it('shows each what another wrote', async () => {
    const path = newPath()
    const one = createSqliteStore(path)
    const two = createSqliteStore(path)
    const { cursor } = await two.revocations(0, NOW)
    await one.put('k', 'v', LATER)
    await one.revoke('s', LATER)
    assert.equal(await two.get('k', NOW), 'v')
    assert.deepEqual((await two.revocations(cursor, NOW)).ids, [{ id: 's', expiresAt: LATER }])
    await one.close()
    assert.equal(await two.take('k', NOW), 'v')
    await two.close()
  })
})

describe('writes of one turn', () => {
  it('have each an answer of their own, in the order in which they came', async () => {
    const store = createSqliteStore(newPath())
    await store.put('k', 'before', LATER)
    const answers = await Promise.all([
      store.swap('k', 'before', 'one', LATER, NOW),
      store.swap('k', 'before', 'two', LATER, NOW),
      store.take('k', NOW),
      store.take('k', NOW),
      store.strike('s', [], LATER, NOW),
      store.strike('s', [], LATER, NOW),
    ])
    assert.deepEqual(answers, [
      { kind: 'stored' },
      { kind: 'conflict', value: 'one' },
      'one',
      undefined,
      { kind: 'counted', count: 1, until: 0 },
      { kind: 'counted', count: 2, until: 0 },
    ])
    await store.close()
  })

  it('have all failed when one has, and nothing of them is there', async () => {
    const store = createSqliteStore(newPath(), 64 * 4096)
    await store.put('k', 'before', LATER)
    const writes = [
      store.put('k', 'after', LATER),
      store.put('long', 'x'.repeat(1_000_000), LATER),
      store.strike('s', [], LATER, NOW),
    ]
    for (const { status, ...rest } of await Promise.allSettled(writes)) {
      assert.equal(status, 'rejected')
      assert.ok('reason' in rest && rest.reason instanceof StoreUnavailableError)
    }
    assert.equal(await store.get('k', NOW), 'before')
    assert.equal((await store.strikes('s', NOW)).count, 0)
    await store.put('k', 'after', LATER)
    assert.equal(await store.get('k', NOW), 'after')
    await store.close()
  })
})

describe('the file', () => {
  it('is made with its folder, for this user alone', {
    skip: process.platform === 'win32',
  }, async () => {
    const path = join(folder, 'made', 'deep', 'stepgate.db')
    const store = createSqliteStore(path)
    await store.put('k', 'v', LATER)
    assert.equal(statSync(join(folder, 'made')).mode & 0o777, 0o700)
    assert.equal(statSync(join(folder, 'made', 'deep')).mode & 0o777, 0o700)
    for (const suffix of ['', '-wal', '-shm']) {
      assert.equal(statSync(path + suffix).mode & 0o777, 0o600, suffix)
    }
    await store.close()
  })

  it('keeps everything when the store is closed and opened again', async () => {
    const path = newPath()
    const before = createSqliteStore(path)
    await before.put('k', 'v', LATER)
    await before.strike('s', [Infinity], LATER, NOW)
    await before.count([{ key: 'c', limit: 1, windowMs: 1000 }], NOW)
    await before.revoke('r', LATER)
    const { cursor } = await before.revocations(0, NOW)
    await before.close()

    const again = createSqliteStore(path)
    assert.equal(await again.get('k', NOW), 'v')
    assert.deepEqual(await again.strikes('s', NOW), { kind: 'waiting', count: 1, until: Infinity })
    const counted = await again.count([{ key: 'c', limit: 1, windowMs: 1000 }], NOW)
    assert.deepEqual(counted, { kind: 'full', full: 0, retryAt: NOW + 1000 })
    assert.deepEqual((await again.revocations(cursor, NOW)).ids, [])
    await again.revoke('r2', LATER)
    assert.deepEqual((await again.revocations(cursor, NOW)).ids, [{ id: 'r2', expiresAt: LATER }])
    await again.close()
  })

  it('gives no revocation a place before a cursor, not even when all were purged', async () => {
    const path = newPath()
    const store = createSqliteStore(path)
    await store.revoke('old', NOW + 1)
    const { cursor } = await store.revocations(0, NOW)
    for (let index = 0; index < 20; index++) await store.take('k', LATER)
    assert.equal(count(path, 'revocation'), 0)
    await store.close()
    const again = createSqliteStore(path)
    await again.revoke('new', LATER + 1)
    assert.equal((await again.revocations(cursor, LATER)).ids.length, 1)
    await again.close()
  })

  it('is purged of what has expired, and of nothing else', async () => {
    const path = newPath()
    const store = createSqliteStore(path)
    for (let index = 0; index < 60; index++) {
      await store.put(`old ${index}`, 'x', NOW + 1)
      await store.strike(`old ${index}`, [0], NOW + 1, NOW)
      await store.count([{ key: `old ${index}`, limit: 1, windowMs: 1 }], NOW)
      await store.revoke(`old ${index}`, NOW + 1)
    }
    await store.put('young', 'x', LATER)
    await store.strike('young', [0], LATER, NOW)
    for (let index = 0; index < 20; index++) await store.take('none', NOW + 1)
    assert.deepEqual(
      ['value', 'strike', 'count_window', 'revocation'].map((table) => count(path, table)),
      [1, 1, 0, 0],
    )
    assert.equal(await store.get('young', NOW + 1), 'x')
    assert.equal((await store.strikes('young', NOW + 1)).count, 1)
    await store.close()
  })

  it('holds nothing of a ping', async () => {
    const path = newPath()
    const store = createSqliteStore(path)
    await store.ping()
    assert.equal(count(path, 'value'), 0)
    await store.close()
  })
})

describe('a store that is in trouble', () => {
  let path: string
  beforeEach(() => {
    path = newPath()
  })

  it('gives up on a lock that stays, lets everything else go on meanwhile, and heals', async () => {
    const store = createSqliteStore(path)
    await store.put('k', 'v', LATER)
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    let turns = 0
    const ticking = setInterval(() => turns++)
    await assert.rejects(store.put('k', 'w', LATER), isUnavailable(/locked/))
    clearInterval(ticking)
    assert.ok(turns > 10, `${turns} turns of the event loop`)
    assert.equal(await store.get('k', NOW), 'v')
    other.exec('ROLLBACK')
    other.close()
    await store.put('k', 'w', LATER)
    assert.equal(await store.get('k', NOW), 'w')
    await store.close()
  })

  it('waits for a lock that goes', async () => {
    const store = createSqliteStore(path)
    await store.ping()
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    const writing = Promise.all([
      store.put('k', 'v', LATER),
      store.strike('s', [Infinity], LATER, NOW),
    ])
    await new Promise((resolve) => setImmediate(resolve))
    other.exec('ROLLBACK')
    other.close()
    await writing
    assert.equal(await store.get('k', NOW), 'v')
    await store.close()
  })

  it('refuses writes when it is full, keeps what it has, and heals', async () => {
    const store = createSqliteStore(path, 200_000)
    await store.strike('guess', [0, Infinity], LATER, NOW)
    await store.put('first', 'x', LATER)
    await assert.rejects(async () => {
      for (let index = 0; index < 1000; index++) {
        await store.put(`fill ${index}`, 'x'.repeat(1000), NOW + 10)
      }
    }, isUnavailable(/full/))
    await assert.rejects(store.ping(), isUnavailable(/full/))
    assert.ok(statSync(path).size <= 200_000 + 4096)
    assert.equal(await store.get('first', NOW), 'x')
    assert.equal((await store.strikes('guess', NOW)).count, 1)
    assert.equal((await store.strike('guess', [0, Infinity], LATER, NOW)).count, 2)

    for (let index = 0; index < 16; index++) await store.take('none', NOW + 10)
    await store.put('more', 'x'.repeat(1000), LATER)
    await store.ping()
    assert.equal((await store.strikes('guess', NOW)).count, 2)
    await store.close()
  })

  it('reports a file that was removed, and begins a new one', async () => {
    const store = createSqliteStore(path)
    await store.put('k', 'v', LATER)
    // In a turn of its own, in which the file is found in its place.
    await store.get('k', NOW)
    await new Promise(setImmediate)
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix)
    await assert.rejects(store.get('k', NOW), isUnavailable(/removed or replaced/))
    assert.equal(await store.get('k', NOW), undefined)
    await store.put('k', 'w', LATER)
    assert.equal(await store.get('k', NOW), 'w')
    assert.ok(existsSync(path))
    await store.close()
  })

  it('reports a file that is damaged while it is open, and heals when it is good again', async () => {
    const store = createSqliteStore(path)
    await store.put('k', 'v', LATER)
    await store.close()
    const good = readFileSync(path)

    const again = createSqliteStore(path)
    assert.equal(await again.get('k', NOW), 'v')
    for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true })
    rmSync(path)
    writeFileSync(
      path,
      good.map((byte, index) => (index < 100 ? byte : byte ^ 0x5a)),
    )
    await assert.rejects(again.get('k', NOW), StoreUnavailableError)
    await assert.rejects(again.get('k', NOW), isUnavailable(/malformed|corrupt/))
    await assert.rejects(again.put('k', 'w', LATER), StoreUnavailableError)
    for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true })
    rmSync(path)
    writeFileSync(path, good)
    assert.equal(await again.get('k', NOW), 'v')
    await again.close()
  })

  it('says at the start when the file is no database', async () => {
    mkdirSync(dirname(path))
    writeFileSync(path, 'something else entirely '.repeat(500))
    await assert.rejects(openStore({ kind: 'sqlite', path }), isUnavailable(/not a database/))
  })

  it("does not touch another program's database or that of a newer version", async () => {
    const other = join(folder, 'other.db')
    const made = new DatabaseSync(other)
    made.exec('CREATE TABLE theirs (x)')
    made.close()
    const before = readFileSync(other)
    await assert.rejects(
      openStore({ kind: 'sqlite', path: other }),
      isUnavailable(/another program/),
    )
    assert.deepEqual(readFileSync(other), before)

    const store = createSqliteStore(path)
    await store.ping()
    await store.close()
    const newer = new DatabaseSync(path)
    newer.exec('PRAGMA user_version = 99')
    newer.close()
    await assert.rejects(openStore({ kind: 'sqlite', path }), isUnavailable(/version is 99/))
  })

  it('says at the start when the folder can not be made, and works once it can', async () => {
    const parent = join(folder, 'a-file')
    writeFileSync(parent, '')
    const store = createSqliteStore(join(parent, 'stepgate.db'))
    await assert.rejects(store.ping(), isUnavailable(/a-file/))
    rmSync(parent)
    await store.ping()
    await store.close()
  })
})

it('openStore opens what the configuration names', async () => {
  const path = newPath()
  const sqlite = await openStore({ kind: 'sqlite', path })
  await sqlite.put('k', 'v', LATER)
  await sqlite.close()
  assert.ok(existsSync(path))
  const memory = await openStore({ kind: 'memory' })
  assert.equal(await memory.get('k', NOW), undefined)
  await memory.close()
})

function isUnavailable(reason: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StoreUnavailableError)
    assert.equal(error.code, 'store_unavailable')
    assert.match((error.cause as Error).message, reason)
    return true
  }
}

function count(path: string, table: string): unknown {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    return db.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.rows
  } finally {
    db.close()
  }
}
