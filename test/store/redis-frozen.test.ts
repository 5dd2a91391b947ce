import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { parseStore } from '../../proxy/config/parse-store.ts'
import { adviseOnRedis } from '../../proxy/store/redis-advice.ts'
import type { Store } from '../../proxy/store/store.ts'
import { type FrozenRedis, startFrozenRedis } from '../support/frozen-redis.ts'
import { redisStore, unavailable } from '../support/redis-store.ts'
import { until } from '../support/until.ts'

const answers = (store: Store) =>
  store.ping().then(
    () => true,
    () => false,
  )

async function start(t: TestContext, frozenOn: string): Promise<FrozenRedis> {
  const server = await startFrozenRedis(frozenOn)
  t.after(() => server.close())
  return server
}

describe('a server that freezes once it has been signed in to', { timeout: 60_000 }, () => {
  for (const [what, command, urlOf] of [
    ['a sentinel', 'SENTINEL', (port: number) => `redis+sentinel://127.0.0.1:${port}/mymaster`],
    ['a master', 'ROLE', (port: number) => `redis+sentinel://127.0.0.1:${port}/mymaster`],
    ['a node of a cluster', 'EXISTS', (port: number) => `redis+cluster://127.0.0.1:${port}`],
  ] as const) {
    it(`is given up where it is ${what}, and is found again when it answers`, async (t) => {
      const server = await start(t, command)
      const store = redisStore(urlOf(server.port))
      t.after(() => store.close())
      await assert.rejects(store.ping(), unavailable(/\(timeout\)/))
      server.thaw()
      await until(() => answers(store))
      await until(async () => server.connections() === 1)
    })

    it(`leaves no connection where it is ${what}, after the store is closed`, async (t) => {
      const server = await start(t, command)
      const store = redisStore(urlOf(server.port))
      await assert.rejects(store.ping(), unavailable(/\(timeout\)/))
      await store.close()
      await until(async () => server.connections() === 0)
    })
  }

  it('holds no start up that asks it for advice', async (t) => {
    const server = await start(t, 'INFO')
    const parsed = parseStore(`redis://127.0.0.1:${server.port}`)
    assert.ok(parsed.kind === 'ok' && parsed.value.store.kind === 'redis')
    const { store, secrets } = parsed.value
    assert.equal(await adviseOnRedis(store, secrets), undefined)
    server.thaw()
    assert.match((await adviseOnRedis(store, secrets)) ?? '', /allkeys-lru/)
    await until(async () => server.connections() === 0)
  })
})
