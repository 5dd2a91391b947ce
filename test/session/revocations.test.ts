import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, it, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { type Revocations, watchRevocations } from '../../proxy/session/revocations.ts'
import { type Store, StoreUnavailableError } from '../../proxy/store/store.ts'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'
import { createSqliteStore } from '../../proxy/store/store-sqlite.ts'
import { keptLog } from '../sign-in/parts.ts'
import { startRedis } from '../support/redis.ts'
import { redisStore } from '../support/redis-store.ts'
import { until as untilAsync } from '../support/until.ts'
import { HOUR, NOW, sampleSession } from './session-sample.ts'

const session = sampleSession()
const other = sampleSession({ id: 'other', family: 'others' })

/** Turns of the event loop, in which time stands still as far as timers go. */
async function turnsUntil(isSo: () => boolean): Promise<void> {
  while (!isSo()) await setImmediate()
}

async function openSqlite(t: TestContext): Promise<() => Store> {
  const folder = await mkdtemp(join(tmpdir(), 'stepgate-revocations-'))
  t.after(() => rm(folder, { recursive: true }))
  return () => createSqliteStore(join(folder, 'stepgate.db'))
}

async function openRedis(t: TestContext): Promise<() => Store> {
  const redis = await startRedis()
  t.after(() => redis.stop())
  return () => redisStore(redis.url)
}

describe('revocations', { timeout: 120_000 }, () => {
  const open: Revocations[] = []
  afterEach(() => {
    for (const revocations of open.splice(0)) revocations.close()
  })

  async function watch(store: Store, clock = () => NOW, log = keptLog().log) {
    const revocations = await watchRevocations(store, clock, log)
    open.push(revocations)
    return revocations
  }

  /** Until it is so; the test's own limit ends a wait in vain. */
  async function until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10))
  }

  it('are told to subscribers once they are known, whoever revoked', async () => {
    const store = createMemoryStore()
    const revocations = await watch(store)
    let told = 0
    revocations.subscribe(() => {
      told++
      assert.ok(revocations.isRevoked(told === 1 ? session : other) || told > 2)
    })
    const stored = revocations.revoke(session.id, NOW + HOUR)
    assert.equal(told, 1)
    await stored
    await store.revoke(other.family, NOW + HOUR)
    await until(() => told > 1)
    assert.equal(revocations.isRevoked(other), true)
  })

  it('hold at once, by id and by family', async () => {
    for (const id of [session.id, session.family]) {
      const revocations = await watch(createMemoryStore())
      assert.equal(revocations.isRevoked(session), false)
      const stored = revocations.revoke(id, NOW + HOUR)
      assert.equal(revocations.isRevoked(session), true)
      await stored
      assert.equal(revocations.isRevoked(other), false)
    }
  })

  it('from before the start hold too, and those of other processes soon', async () => {
    const store = createMemoryStore()
    const first = await watch(store)
    await first.revoke(session.id, NOW + HOUR)
    const second = await watch(store)
    assert.equal(second.isRevoked(session), true)
    await second.revoke(other.family, NOW + HOUR)
    await until(() => first.isRevoked(other))
  })

  for (const [kind, open] of [
    ['SQLite', openSqlite],
    ['Redis', openRedis],
  ] as const) {
    it(`of one process hold in others within a second, by ${kind}`, async (t) => {
      const connect = await open(t)
      const [first, second, third] = [connect(), connect(), connect()]
      t.after(() => Promise.all([first, second, third].map((store) => store.close())))
      const here = await watch(first)
      t.mock.timers.enable({ apis: ['setTimeout'] })
      const others = [await watch(second), await watch(third)]
      await here.revoke(session.id, NOW + HOUR)
      // Time goes on by half a second and no more.
      t.mock.timers.tick(500)
      await turnsUntil(() => others.every(({ isRevoked }) => isRevoked(session)))
      assert.ok(others.every(({ isRevoked }) => !isRevoked(other)))
    })
  }

  it('are read and written every half second, whatever came of it before', async (t) => {
    const store = createMemoryStore()
    const down = () => Promise.reject(new StoreUnavailableError('down'))
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const revocations = await watch(store)
    const asked: string[] = []
    const answer = { ...store }
    let broken = false
    store.revocations = (...args) => {
      asked.push('read')
      return broken ? down() : answer.revocations(...args)
    }
    store.revoke = () => {
      asked.push('write')
      return down()
    }
    await revocations.revoke(session.id, NOW + HOUR)
    for (let half = 0; half < 6; half++) {
      broken = half < 3
      asked.length = 0
      t.mock.timers.tick(499)
      await setImmediate()
      assert.deepEqual(asked, [])
      t.mock.timers.tick(1)
      await setImmediate()
      assert.deepEqual(asked.toSorted(), ['read', 'write'])
    }
  })

  it('that Redis has lost are written to it again by those who know them', async (t) => {
    const redis = await startRedis()
    t.after(() => redis.stop())
    const [first, second, third] = [redis.url, redis.url, redis.url].map((url) => redisStore(url))
    assert.ok(first && second && third)
    t.after(() => Promise.all([first, second, third].map((store) => store.close())))
    const here = await watch(first)
    const there = await watch(second)
    await here.revoke(session.family, NOW + HOUR)
    await until(() => there.isRevoked(session))
    // As of a process that has ended since.
    here.close()
    await redis.halt('SIGKILL')
    await redis.restart()
    await third.revoke(other.family, NOW + HOUR)
    await untilAsync(async () => {
      const replaced = await watchRevocations(third, () => NOW, keptLog().log)
      await replaced.close()
      return replaced.isRevoked(session)
    })
    await until(() => there.isRevoked(other))
  })

  it('in great numbers that were lost do not keep new ones from being read', async () => {
    const store = createMemoryStore()
    const answer = { ...store }
    for (let n = 0; n < 2500; n++) await store.revoke(`many-${n}`, NOW + HOUR)
    await watch(store)
    let most = 0
    let between = 0
    const written = new Set<string>()
    store.revoke = async (id) => {
      written.add(id)
      between += 1
    }
    let lost = true
    store.revocations = async (cursor, now) => {
      most = Math.max(most, between)
      between = 0
      const news = await answer.revocations(cursor, now)
      const said = { ...news, lost }
      lost = false
      return said
    }
    await until(() => written.size === 2500)
    assert.ok(most <= 1000)
  })

  it('hold here even if the store does not take them, and are written when it does', async () => {
    const store = createMemoryStore()
    const revocations = await watch(store)
    const { revoke } = store
    store.revoke = () => Promise.reject(new StoreUnavailableError('down'))
    await revocations.revoke(session.id, NOW + HOUR)
    assert.equal(revocations.isRevoked(session), true)
    assert.equal((await watch(store)).isRevoked(session), false)
    store.revoke = revoke
    const other = await watch(store)
    await until(() => other.isRevoked(session))
  })

  it('that are not written are tried once more at the end', async (t) => {
    const store = createMemoryStore()
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const revocations = await watch(store)
    const { revoke } = store
    store.revoke = () => Promise.reject(new StoreUnavailableError('down'))
    await revocations.revoke(session.id, NOW + HOUR)
    store.revoke = revoke
    await revocations.close()
    assert.equal((await watch(store)).isRevoked(session), true)
    store.revoke = () => Promise.reject(new StoreUnavailableError('down'))
    const another = await watch(store)
    await another.revoke(other.id, NOW + HOUR)
    await another.close()
  })

  it('that can’t be written are complained of as such, with what tells whose they are', async (t) => {
    const store = createMemoryStore()
    const { log, lines } = keptLog()
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const revocations = await watch(store, () => NOW, log)
    const { revoke } = store
    store.revoke = () => Promise.reject(new StoreUnavailableError('down'))
    await revocations.revoke(session.id, NOW + HOUR, { request_id: 'r', subject: 'subject-1' })
    for (let times = 0; times < 3; times++) {
      t.mock.timers.tick(500)
      await setImmediate()
    }
    store.revoke = revoke
    t.mock.timers.tick(500)
    await turnsUntil(() => lines.length > 2)
    assert.deepEqual(
      lines.map(({ message }) => message),
      [
        'A revocation is not written yet',
        'Revocations can not be written',
        'Revocations are written again',
      ],
    )
    assert.deepEqual(lines[0]?.fields, {
      request_id: 'r',
      subject: 'subject-1',
      error: 'StoreUnavailableError',
      code: 'store_unavailable',
    })
  })

  it('outlive a clock that jumps forward for a moment', async () => {
    const store = createMemoryStore()
    let now = NOW
    const revocations = await watch(store, () => now)
    await revocations.revoke(session.id, NOW + HOUR)
    now += 13 * HOUR
    const read = store.revocations
    let reads = 0
    store.revocations = (...asked) => {
      reads++
      return read(...asked)
    }
    await until(() => reads > 1)
    now = NOW
    assert.equal(revocations.isRevoked(session), true)
    assert.equal((await watch(store)).isRevoked(session), true)
  })

  it('that can’t be read are complained of once, hold as they are, and are read again', async () => {
    const store = createMemoryStore()
    const { log, lines } = keptLog()
    const revocations = await watch(store, () => NOW, log)
    await revocations.revoke(session.id, NOW + HOUR)
    const { revocations: read } = store
    let asked = 0
    store.revocations = () => {
      asked++
      return Promise.reject(new StoreUnavailableError('down'))
    }
    await until(() => asked > 1)
    assert.deepEqual(
      lines.map(({ message }) => message),
      ['Revocations can not be read'],
    )
    assert.equal(revocations.isRevoked(session), true)
    await store.revoke(other.id, NOW + HOUR)
    store.revocations = read
    await until(() => revocations.isRevoked(other))
    await until(() => lines.length > 1)
    assert.equal(lines[1]?.message, 'Revocations are read again')
  })

  it('that can’t be read at the start are no start', async () => {
    const store = createMemoryStore()
    store.revocations = () => Promise.reject(new StoreUnavailableError('down'))
    await assert.rejects(watch(store), StoreUnavailableError)
  })
})
