import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RedisConfig } from '../../proxy/config/config.ts'
import type { Log } from '../../proxy/log.ts'
import { openStore } from '../../proxy/store/open-store.ts'
import { freePort } from '../support/free-port.ts'
import { startRedis } from '../support/redis.ts'
import { unavailable } from '../support/redis-store.ts'

const configAt = (port: number): RedisConfig => ({
  kind: 'redis',
  topology: { kind: 'single' },
  nodes: [{ host: '127.0.0.1', port }],
  database: 0,
  prefix: 'stepgate',
})

/** A log that says what it was told, and calls `heard` with it. */
function keptLog(heard: (line: string) => void = () => {}) {
  const lines: string[] = []
  const keep = (message: string) => {
    lines.push(message)
    heard(message)
  }
  const log = { info: keep, warn: keep } as unknown as Log
  return { log, lines }
}

describe('a Redis that is not there at the start', () => {
  it('is waited for, and the operator told once', async () => {
    const port = await freePort()
    const starting = Promise.withResolvers<Awaited<ReturnType<typeof startRedis>>>()
    const { log, lines } = keptLog((line) => {
      if (/waiting/.test(line)) startRedis({ port }).then(starting.resolve, starting.reject)
    })
    const store = await openStore(configAt(port), {}, { patience: 60_000, log })
    await store.ping()
    assert.deepEqual(lines, ['The store does not answer yet: waiting', 'The store answers'])
    await store.close()
    await (await starting.promise).stop()
  })

  it('is waited for no longer than the patience lasts', async () => {
    const config = configAt(await freePort())
    const nothing = unavailable(/nothing listens there \(ECONNREFUSED\)/)
    await assert.rejects(openStore(config, {}, { patience: 600, log: keptLog().log }), nothing)
    await assert.rejects(openStore(config), nothing)
  })
})

it('a Redis that will never let stepgate in is not waited for', async () => {
  const redis = await startRedis({ password: true })
  const { log, lines } = keptLog()
  const waiting = { patience: 60_000, log }
  const config = configAt(redis.port)
  for (const [settings, secrets, why] of [
    [config, {}, /asks for a password/],
    [config, { password: 'wrong' }, /password is wrong/],
    [{ ...config, database: 99 }, { password: redis.password ?? '' }, /no database of this number/],
    [{ ...config, tls: { caFile: '/none' } }, {}, /ENOENT/],
  ] as const) {
    await assert.rejects(openStore(settings, secrets, waiting), unavailable(why))
  }
  assert.deepEqual(lines, [])
  await redis.stop()
})

it('a start warns of a Redis that drops keys when its memory is full', async () => {
  const redis = await startRedis({ lines: ['maxmemory 1gb', 'maxmemory-policy allkeys-lru'] })
  const { log, lines } = keptLog()
  await (await openStore(configAt(redis.port), {}, { patience: 0, log })).close()
  assert.match(lines.join(), /^Redis forgets counters and locks .*allkeys-lru.*noeviction/)
  await redis.call('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
  await (await openStore(configAt(redis.port), {}, { patience: 0, log })).close()
  assert.equal(lines.length, 1)
  await redis.stop()
})
