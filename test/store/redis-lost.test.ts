import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, describe, it } from 'node:test'
import { createServer } from 'node:tls'
import type { Store } from '../../proxy/store/store.ts'
import { startRedis } from '../support/redis.ts'
import { redisStore, unavailable } from '../support/redis-store.ts'
import { until } from '../support/until.ts'

const NOW = 1_700_000_000_000
const redis = await startRedis({ lines: ['appendonly yes', 'appendfsync always'] })
const other = await startRedis()
after(() => Promise.all([redis, other].map((each) => each.stop())))

const answers = (store: Store) =>
  store.ping().then(
    () => true,
    () => false,
  )

// Two seconds are the promise; a machine under load may take longer to keep the time.
const DEADLINE = { timeout: 20_000 }

describe('a server that is lost', () => {
  it(
    'fails all that wait for it, a bounded number, and heals when it answers',
    DEADLINE,
    async () => {
      const store = redisStore(redis.url)
      await store.strike('k', [0], NOW + 9, NOW)
      redis.pause()
      try {
        const waiting = [
          store.get('v', NOW),
          store.put('v', 'x', NOW + 9),
          store.strike('k', [0], NOW + 9, NOW),
          store.count([{ key: 'k', limit: 9, windowMs: 9 }], NOW),
          store.revoke('k', NOW + 9),
          store.revocations(0, NOW),
          ...Array.from({ length: 9_994 }, () => store.ping()),
        ]
        const ended = Promise.allSettled(waiting)
        await assert.rejects(store.ping(), unavailable(/too many answers/))
        for (const each of await ended) {
          assert.ok(each.status === 'rejected' && unavailable(/\(timeout\)/)(each.reason))
        }
        await assert.rejects(store.ping(), unavailable(/\(timeout\)/))
      } finally {
        redis.resume()
      }
      await until(() => answers(store))
      // What was sent may have come about after all, but once.
      assert.ok((await store.strikes('k', NOW)).count <= 2)
      await store.close()
    },
  )

  it('is missed at once when it has ended, and everything is there when it returns', async () => {
    const store = redisStore(redis.url)
    await store.put('k', 'v', NOW + 9)
    await store.strike('s', [Infinity], NOW + 9, NOW)
    await store.revoke('r', NOW + 9)
    const { cursor } = await store.revocations(0, NOW)
    await redis.halt('SIGKILL')
    await assert.rejects(store.get('k', NOW), unavailable())
    await until(() => store.ping().then(() => false, unavailable(/nothing listens there/)))
    await redis.restart()
    await until(() => answers(store))
    assert.equal(await store.get('k', NOW), 'v')
    assert.equal((await store.strikes('s', NOW)).kind, 'waiting')
    assert.deepEqual((await store.revocations(cursor, NOW)).ids, [])
    await store.close()
  })

  it('is found again by the next who asks when only the connection broke', async () => {
    const store = redisStore(redis.url)
    await store.ping()
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal')
    await until(() => answers(store))
    await store.close()
  })

  it('may be closed while it does not answer', DEADLINE, async () => {
    const store = redisStore(redis.url)
    await store.ping()
    redis.pause()
    const waiting = store.ping()
    await store.close()
    redis.resume()
    await assert.rejects(waiting, unavailable(/\(closed\)/))
    await assert.rejects(store.ping(), unavailable(/\(closed\)/))
  })
})

describe('a server that was demoted', () => {
  it('takes nothing until it is promoted again', async () => {
    const store = redisStore(redis.url)
    await store.ping()
    await redis.call('REPLICAOF', '127.0.0.1', String(other.port))
    const strike = () => store.strike('d', [0], NOW + 9, NOW)
    await assert.rejects(strike(), unavailable(/takes no writes|loading/))
    await assert.rejects(strike(), unavailable())
    await redis.call('REPLICAOF', 'NO', 'ONE')
    await until(() => answers(store))
    assert.equal((await strike()).count, 1)
    await store.close()
  })
})

describe('a server that wants to know who comes', () => {
  async function refuses(url: string, why: RegExp): Promise<void> {
    const store = redisStore(url)
    await assert.rejects(store.ping(), unavailable(why))
    await store.close()
  }

  it('lets in the right password only', async () => {
    const guarded = await startRedis({ password: true })
    const at = `127.0.0.1:${guarded.port}`
    const store = redisStore(guarded.url)
    await store.ping()
    await store.close()
    await refuses(`redis://${at}`, /asks for a password \(NOAUTH\)/)
    await refuses(`redis://:wrong@${at}`, /password is wrong \(WRONGPASS\)/)
    await refuses(`redis://nobody:wrong@${at}`, /password is wrong \(WRONGPASS\)/)
    await guarded.stop()
  })

  it('is told apart from one that does not', async () => {
    const at = `127.0.0.1:${redis.port}`
    await refuses(`redis://:needless@${at}`, /has no password, but is given one/)
    await refuses(`redis://${at}/99`, /no database of this number/)
    await refuses(`redis+sentinel://${at}/m`, /lacks commands that stepgate needs/)
    await refuses('redis://no.such.host.invalid', /does not resolve/)
  })
})

describe('a server with TLS', () => {
  it('is believed by the authority that the operator names, and by its name', async () => {
    const server = await startRedis({ tls: true, password: true })
    const caFile = server.certificate?.ca ?? ''
    const good = redisStore(server.url, { caFile })
    await good.put('k', 'v', NOW + 9)
    assert.equal(await good.get('k', NOW), 'v')
    await good.close()
    const url = (from: string, to: string) => server.url.replace(from, to)
    for (const [address, files, why] of [
      [server.url, {}, /certificate is not trusted; STEPGATE_STORE_CA_FILE/],
      [
        url('127.0.0.1', '127.0.0.2'),
        { caFile },
        /certificate is for another host|nothing listens/,
      ],
      [url('rediss:', 'redis:'), {}, /connection broke off; does it speak TLS/],
      [server.url, { caFile: '/none' }, /ENOENT/],
    ] as const) {
      const store = redisStore(address, files)
      await assert.rejects(store.ping(), unavailable(why), address)
      await store.close()
    }
    await server.stop()
  })

  it('hears by which name it is called, as several may stand behind one address', async () => {
    const called = Promise.withResolvers<string>()
    const server = createServer({
      SNICallback(name, done) {
        called.resolve(name)
        done(new Error('none is here'))
      },
    })
    server.on('tlsClientError', () => {})
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const store = redisStore(`rediss://localhost:${(server.address() as AddressInfo).port}`)
    await assert.rejects(store.ping(), unavailable())
    assert.equal(await called.promise, 'localhost')
    await store.close()
    server.close()
  })

  it('may ask for a certificate', async () => {
    const server = await startRedis({ tls: 'clients' })
    const { ca: caFile, cert: certFile, key: keyFile } = server.certificate ?? assert.fail()
    const store = redisStore(server.url, { caFile, client: { certFile, keyFile } })
    await store.ping()
    await store.close()
    const without = redisStore(server.url, { caFile })
    await assert.rejects(without.ping(), unavailable(/asks for a certificate|broke off/))
    await without.close()
    await server.stop()
  })
})
