import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from '../support/redis.ts'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts'
import { startWatchedRedis, type WatchedRedis } from '../support/redis-sentinel.ts'
import { redisStore, unavailable } from '../support/redis-store.ts'
import { until } from '../support/until.ts'

const NOW = 1_700_000_000_000
const NOBODY = '127.0.0.1:1'

function stillAway(error: unknown): false {
  assert.ok(unavailable()(error), String(error))
  return false
}

/** Whether a replica has all that its master has. */
async function isLevel(master: Redis, replica: Redis): Promise<boolean> {
  const [one, two] = await Promise.all(
    [master, replica].map(async (redis) =>
      /master_repl_offset:\d+/.exec(await redis.call('INFO', 'replication'))?.at(0),
    ),
  )
  return one !== undefined && one === two
}

describe('a master that sentinels watch', () => {
  const passwords = { servers: 'a-password-of-the-servers', sentinel: 'one-of-the-sentinels' }
  let watched: WatchedRedis
  before(async () => {
    watched = await startWatchedRedis(passwords)
  })
  after(() => watched.stop())
  const url = (user: string, query = '') =>
    `redis+sentinel://${user}@${NOBODY},127.0.0.1:${watched.sentinel.port}/mymaster${query}`

  it('is found by its name, its sentinels asked with their password', async () => {
    const store = redisStore(
      url(`:${passwords.servers}`, `?sentinel_password=${passwords.sentinel}`),
    )
    await store.put('k', 'v', NOW + 9)
    assert.equal(await watched.master.call('EXISTS', '{stepgate}:value:k'), '1')
    await store.close()
  })

  it('is not found under another name, nor with a wrong password', async () => {
    const query = `?sentinel_password=${passwords.sentinel}`
    for (const [address, why] of [
      [url(`:${passwords.servers}`, query).replace('mymaster', 'none'), /no master of this name/],
      [url(`:${passwords.servers}`), /password is wrong|asks for a password/],
      [url(':wrong', query), /password is wrong/],
    ] as const) {
      const store = redisStore(address)
      await assert.rejects(store.ping(), unavailable(why))
      await store.close()
    }
  })

  it('that is killed is followed by the one that takes over', async () => {
    const store = redisStore(
      url(`:${passwords.servers}`, `?sentinel_password=${passwords.sentinel}`),
    )
    await store.put('before', 'v', NOW + 9)
    await until(() => isLevel(watched.master, watched.replica))
    await watched.master.halt('SIGKILL')
    await until(() => store.put('after', 'v', NOW + 9).then(() => true, stillAway))
    assert.equal(await store.get('before', NOW), 'v')
    assert.equal(await watched.replica.call('EXISTS', '{stepgate}:value:after'), '1')
    await store.close()
  })
})

describe('sentinels without a password', () => {
  it('are asked without one when they do not know it', async () => {
    const watched = await startWatchedRedis({ servers: 'a-password-of-the-servers' })
    const store = redisStore(
      `redis+sentinel://:a-password-of-the-servers@127.0.0.1:${watched.sentinel.port}/mymaster`,
    )
    await store.ping()
    await store.close()
    await watched.stop()
  })
})

describe('a cluster', () => {
  let cluster: RedisCluster
  before(async () => {
    cluster = await startRedisCluster()
  })
  after(() => cluster.stop())
  const url = () =>
    `redis+cluster://${[NOBODY, ...cluster.others.map(({ port }) => `127.0.0.1:${port}`)]}`

  it('keeps everything in one slot, which any of its nodes leads to', async () => {
    const store = redisStore(url())
    const windows = ['a', 'b', 'c'].map((key) => ({ key, limit: 1, windowMs: 1000 }))
    await store.put('k', 'v', NOW + 9)
    assert.deepEqual(await store.count(windows, NOW), { kind: 'counted' })
    assert.deepEqual(await store.counts(['a', 'b', 'c'], NOW), [1, 1, 1])
    await store.revoke('r', NOW + 9)
    await store.remove('k')
    assert.equal((await store.revocations(0, NOW)).ids.length, 1)
    assert.equal(await cluster.owner.call('EXISTS', '{stepgate}:count:a'), '1')
    await store.close()
  })

  it('that hands the slot over is followed without anybody noticing', async () => {
    const store = redisStore(url())
    await store.strike('s', [0], NOW + 9, NOW)
    await cluster.replica.call('CLUSTER', 'FAILOVER')
    await until(async () => /master/.test(await cluster.replica.call('ROLE')))
    assert.equal((await store.strike('s', [0], NOW + 9, NOW)).count, 2)
    await store.close()
  })

  it('that loses the owner of the slot is followed to the one that takes over', async () => {
    const store = redisStore(url())
    await store.put('before', 'v', NOW + 9)
    await until(() => isLevel(cluster.replica, cluster.owner))
    await cluster.replica.halt('SIGKILL')
    await until(() => store.put('after', 'v', NOW + 9).then(() => true, stillAway))
    assert.equal(await store.get('before', NOW), 'v')
    await store.close()
  })
})
