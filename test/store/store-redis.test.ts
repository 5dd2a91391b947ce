import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import type { Store } from '../../proxy/store/store.ts'
import { startRedis } from '../support/redis.ts'
import { redisStore, unavailable } from '../support/redis-store.ts'
import { sharedByProcesses } from './between-processes.ts'
import { storeContract } from './contract.ts'

const NOW = 1_700_000_000_000
const MARGIN = 300_000
const redis = await startRedis()
after(() => redis.stop())

const docs = readFileSync(new URL('../../docs/redis.md', import.meta.url), 'utf8')
let prefixes = 0
const newUrl = () => `${redis.url}?prefix=test-${prefixes++}`
const open = () => redisStore(newUrl())

storeContract('the Redis store', open)

describe('a server that several share', () => {
  sharedByProcesses(newUrl)

  it('counts five of 200 guesses that come by three connections, and gives a value once', async () => {
    const url = newUrl()
    const stores = [redisStore(url), redisStore(url), redisStore(url)]
    const each = <T>(use: (store: Store) => Promise<T>) =>
      Promise.all(Array.from({ length: 200 }, (_, n) => use(stores[n % 3] as Store)))
    await stores[0]?.put('once', 'x', NOW + 9)
    const struck = await each((store) => store.strike('s', [0, 0, 0, 0, Infinity], NOW + 9, NOW))
    const taken = await each((store) => store.take('once', NOW))
    const counted = await each((store) =>
      store.count(
        ['a', 'b'].map((key) => ({ key, limit: 7, windowMs: 9 })),
        NOW,
      ),
    )
    assert.equal(struck.filter(({ kind }) => kind === 'counted').length, 5)
    assert.equal(taken.filter((value) => value !== undefined).length, 1)
    assert.equal(counted.filter(({ kind }) => kind === 'counted').length, 7)
    await Promise.all(stores.map((store) => store.close()))
  })

  it('keeps installations apart by prefix and by database', async () => {
    const [one, two] = [open(), open()]
    const [first, second] = [redisStore(`${redis.url}/1`), redisStore(`${redis.url}/2`)]
    for (const [writer, reader] of [
      [one, two],
      [first, second],
    ] as const) {
      await writer.put('k', 'v', NOW + 9)
      await writer.revoke('k', NOW + 9)
      assert.equal(await reader.get('k', NOW), undefined)
      assert.deepEqual((await reader.revocations(0, NOW)).ids, [])
    }
    await Promise.all([one, two, first, second].map((store) => store.close()))
  })

  it('may forget the scripts', async () => {
    const store = open()
    const window = [{ key: 'w', limit: 9, windowMs: 9 }]
    await store.count(window, NOW)
    await redis.call('SCRIPT', 'FLUSH')
    await store.count(window, NOW)
    assert.deepEqual(await store.counts(['w'], NOW), [2])
    await store.close()
  })
})

describe('the keys', () => {
  it('go by themselves, a while after they have expired, and no sooner', async () => {
    const prefix = `test-${prefixes}`
    const store = open()
    const life = async (kind: string) => Number(await redis.call('PTTL', `{${prefix}}:${kind}:k`))
    const isBetween = (ms: number, expected: number) =>
      assert.ok(ms > expected - 60_000 && ms <= expected, `${ms} ms instead of ${expected}`)
    for (const later of [100_000, 200_000]) {
      await store.strike('k', [0], NOW + later, NOW)
      await store.put('k', 'v', NOW + later)
      await store.count([{ key: 'k', limit: 9, windowMs: 100_000 }], NOW)
      isBetween(await life('value'), later + MARGIN)
      isBetween(await life('strike'), later + MARGIN)
      isBetween(await life('count'), 100_000 + MARGIN)
    }
    await store.swap('k', 'v', 'w', NOW + 900_000, NOW)
    isBetween(await life('value'), 900_000 + MARGIN)
    await store.uncount(['k'], NOW + 50_000)
    isBetween(await life('count'), 50_000 + MARGIN)
    await store.put('k', 'v', NOW - 900_000)
    isBetween(await life('value'), MARGIN)
    await store.close()
  })

  it('stay when they never expire', async () => {
    const prefix = `test-${prefixes}`
    const store = open()
    await store.put('k', 'v', NOW + 9)
    await store.put('k', 'v', Infinity)
    await store.strike('k', [0], Infinity, NOW)
    for (const kind of ['value', 'strike']) {
      assert.equal(await redis.call('PTTL', `{${prefix}}:${kind}:k`), '-1')
    }
    await store.close()
  })

  it('of a ping and of what was removed are gone', async () => {
    const prefix = `test-${prefixes}`
    const store = open()
    await store.put('k', 'v', NOW + 9)
    await store.strike('k', [0], NOW + 9, NOW)
    await store.count([{ key: 'k', limit: 9, windowMs: 9 }], NOW)
    assert.equal((await redis.call('KEYS', `{${prefix}}:*`)).split('\n').length, 3)
    await store.remove('k')
    assert.equal(await redis.call('KEYS', `{${prefix}}:*`), '')
    await store.ping()
    assert.ok(Number(await redis.call('PTTL', `{${prefix}}:ping`)) <= 1000)
    await store.close()
  })
})

describe('revocations in Redis', () => {
  let store: Store
  let keys: readonly [string, string]
  before(() => {
    keys = [`{test-${prefixes}}:revoked`, `{test-${prefixes}}:revoked-until`]
    store = open()
  })
  after(() => store.close())
  const idsAfter = async (cursor: number, now = NOW) =>
    (await store.revocations(cursor, now)).ids.map(({ id }) => id)

  it('come all and in order, however many there are', async () => {
    const ids = Array.from({ length: 2000 }, (_, n) => `many-${n}`)
    for (let at = 0; at < ids.length; at += 200) {
      await Promise.all(ids.slice(at, at + 200).map((id) => store.revoke(id, NOW + 9)))
    }
    await store.revoke('last', NOW + 9)
    const told = await store.revocations(0, NOW)
    assert.deepEqual(
      told.ids.map(({ id }) => id),
      [...ids, 'last'],
    )
    assert.deepEqual(await idsAfter(told.cursor), [])
  })

  it('are heard of after a failover that lost the last of them', async () => {
    const { cursor } = await store.revocations(0, NOW)
    await store.revoke('lost', NOW + 9)
    const { cursor: later } = await store.revocations(cursor, NOW)
    for (const key of keys) await redis.call('ZREM', key, 'lost')
    await store.revoke('new', NOW + 9)
    const told = await store.revocations(later, NOW)
    assert.equal(told.lost, true)
    assert.ok(told.ids.some(({ id }) => id === 'new'))
    assert.equal((await store.revocations(told.cursor, NOW)).lost, false)
  })

  it('are heard of when the clock of the server goes back', async () => {
    const ahead = String(2 ** 52)
    await redis.call('ZADD', keys[0], ahead, 'ahead')
    await redis.call('ZADD', keys[1], String(NOW + 9), 'ahead')
    const { cursor } = await store.revocations(0, NOW)
    assert.equal(cursor, Number(ahead))
    await store.revoke('behind', NOW + 9)
    assert.deepEqual(await idsAfter(cursor), ['behind'])
    assert.equal((await store.revocations(cursor, NOW)).lost, false)
    for (const key of keys) await redis.call('ZREM', key, 'ahead', 'behind')
    await store.revoke('afterwards', NOW + 9)
    assert.ok((await idsAfter(cursor)).includes('afterwards'))
  })

  it('are dropped a while after they have expired, and not while they matter', async () => {
    await store.revoke('recent', NOW + MARGIN + 5)
    await store.revoke('lasting', NOW + MARGIN + 99)
    for (let round = 0; round < 30; round++) {
      await store.get('any', NOW + MARGIN + 9)
      await store.revoke('lasting', NOW + MARGIN + 99)
    }
    for (const key of keys)
      assert.equal(await redis.call('ZRANGE', key, '0', '-1'), 'recent\nlasting')
  })
})

describe('a user with few rights', () => {
  it('needs no more than docs/redis.md says', async () => {
    const [, ...user] = /ACL (SETUSER stepgate on .*)/.exec(docs)?.[1]?.split(' ') ?? []
    await redis.call('ACL', 'SETUSER', ...user)
    const store = redisStore(`redis://stepgate:password@127.0.0.1:${redis.port}`)
    await store.ping()
    await store.put('k', 'v', NOW + 9)
    await store.swap('k', 'v', 'w', NOW + 9, NOW)
    await store.take('k', NOW)
    await store.strike('k', [0], NOW + 9, NOW)
    await store.strikes('k', NOW)
    await store.count([{ key: 'k', limit: 9, windowMs: 9 }], NOW)
    await store.counts(['k'], NOW)
    await store.uncount(['k'], NOW)
    await store.remove('k')
    await store.revoke('k', NOW + 9)
    assert.equal((await store.revocations(0, NOW)).ids.length, 1)
    await store.close()
  })

  it('is refused what is not its own, and the operator told so', async () => {
    const store = redisStore(`redis://stepgate:password@127.0.0.1:${redis.port}?prefix=other`)
    await assert.rejects(store.ping(), unavailable(/may not use the commands or keys.*NOPERM/))
    await store.close()
  })
})

describe('a server in trouble', () => {
  it('fails closed when its memory is full, still reads, and heals', async () => {
    const store = open()
    await store.strike('guess', [0, Infinity], NOW + 9, NOW)
    await redis.call('CONFIG', 'SET', 'maxmemory', '1')
    const full = unavailable(/memory is full \(maxmemory\) \(OOM\)/)
    await assert.rejects(store.ping(), full)
    await assert.rejects(store.put('k', 'v', NOW + 9), full)
    await assert.rejects(store.strike('guess', [0, Infinity], NOW + 9, NOW), full)
    await assert.rejects(store.count([{ key: 'k', limit: 9, windowMs: 9 }], NOW), full)
    assert.equal((await store.strikes('guess', NOW)).count, 1)
    await redis.call('CONFIG', 'SET', 'maxmemory', '0')
    await store.ping()
    assert.equal((await store.strike('guess', [0, Infinity], NOW + 9, NOW)).count, 2)
    await store.close()
  })

  it("fails closed on keys that are another program's", async () => {
    const prefix = `test-${prefixes}`
    const store = open()
    for (const kind of ['value', 'strike', 'count']) {
      await redis.call('LPUSH', `{${prefix}}:${kind}:k`, 'x')
    }
    const foreign = unavailable(/another program's.*WRONGTYPE/)
    await assert.rejects(store.get('k', NOW), foreign)
    await assert.rejects(store.strike('k', [0], NOW + 9, NOW), foreign)
    await assert.rejects(store.count([{ key: 'k', limit: 9, windowMs: 9 }], NOW), foreign)
    await redis.call('SET', `{${prefix}}:odd`, 'x')
    await redis.call('RENAME', `{${prefix}}:odd`, `{${prefix}}:count:k`)
    await assert.rejects(store.count([{ key: 'k', limit: 9, windowMs: 9 }], NOW), unavailable())
    await store.close()
  })
})
