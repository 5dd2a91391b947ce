import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it, type TestContext } from 'node:test'
import type { RedisConnection, RedisReply } from '../../proxy/store/redis-connection.ts'
import { RedisError } from '../../proxy/store/redis-error.ts'
import { createRedisLink, type RedisLink } from '../../proxy/store/redis-link.ts'
import { type FakeConnection, fakeConnection } from './fake-connection.ts'

const PLACE = 'redis:6379'
const gone = new RedisError(PLACE, 'ECONNREFUSED')

let opened: FakeConnection[]
let attempts: number
/** What each attempt to connect comes to. */
let connecting: (attempt: number) => Promise<RedisConnection>
let answer: (command: string, connection: number) => RedisReply | Promise<RedisReply>
let link: RedisLink

function fake(): FakeConnection {
  const number = opened.length + 1
  const connection = fakeConnection(PLACE, ([command = '']) => answer(command, number))
  opened.push(connection)
  return connection
}

beforeEach(() => {
  opened = []
  attempts = 0
  connecting = async () => fake()
  answer = () => 'OK'
  link = createRedisLink(() => {
    attempts += 1
    return connecting(attempts)
  }, PLACE)
})

// Or it would go on, and count in the next test.
afterEach(() => link.close())

const send = (command: string) => link.use((connection) => connection.send([command]))
const never = <T>() => new Promise<T>(() => {})
const settle = () => new Promise((resolve) => setImmediate(resolve))
const mockTime = (t: TestContext) => t.mock.timers.enable({ apis: ['setTimeout'] })

describe('a link', () => {
  it('opens nothing until somebody asks, and then one connection for all', async () => {
    await settle()
    assert.equal(attempts, 0)
    await Promise.all(['a', 'b', 'c'].map(send))
    assert.equal(attempts, 1)
    assert.deepEqual(opened[0]?.asked, ['a', 'b', 'c'])
    assert.equal(opened[0]?.isKept, true)
  })

  it('opens another connection at once when one is lost, and who asks meanwhile waits for it', async () => {
    await send('a')
    const next = Promise.withResolvers<RedisConnection>()
    connecting = () => next.promise
    opened[0]?.end()
    await settle()
    assert.equal(attempts, 2)
    const waiting = send('b')
    next.resolve(fake())
    assert.equal(await waiting, 'OK')
    assert.deepEqual(opened[1]?.asked, ['b'])
  })

  it('lets nobody wait while it can not be opened, and tries again less and less often', async (t) => {
    mockTime(t)
    connecting = () => Promise.reject(gone)
    await assert.rejects(send('a'), gone)
    for (const [index, wait] of [50, 100, 200, 400, 800, 1000, 1000, 1000].entries()) {
      t.mock.timers.tick(wait - 1)
      await assert.rejects(send('b'), gone)
      assert.equal(attempts, index + 1)
      t.mock.timers.tick(1)
      await settle()
      assert.equal(attempts, index + 2)
    }
    connecting = async () => fake()
    t.mock.timers.tick(1000)
    await settle()
    assert.equal(await send('c'), 'OK')
  })

  it('does not open connections that never hold as fast as it can', async (t) => {
    mockTime(t)
    connecting = async () => {
      const connection = fake()
      connection.end(gone)
      return connection
    }
    await assert.rejects(send('a'))
    for (let turn = 0; turn < 20; turn++) await settle()
    assert.equal(attempts, 2)
    await assert.rejects(send('b'), gone)
    t.mock.timers.tick(99)
    await settle()
    assert.equal(attempts, 2)
  })

  it('forgets its failures when a connection has held for a second', async (t) => {
    mockTime(t)
    connecting = (attempt) => (attempt < 5 ? Promise.reject(gone) : Promise.resolve(fake()))
    await assert.rejects(send('a'), gone)
    for (const wait of [50, 100, 200, 400]) {
      t.mock.timers.tick(wait)
      await settle()
    }
    assert.equal(await send('b'), 'OK')
    t.mock.timers.tick(1000)
    opened[0]?.end()
    await settle()
    assert.equal(attempts, 6)
    assert.equal(await send('c'), 'OK')
  })
})

describe('an answer that does not come', () => {
  it('is given up after a second and a half, with all that wait behind it', async (t) => {
    await send('a')
    mockTime(t)
    answer = (_, connection) => (connection === 1 ? never() : 'OK')
    const first = send('b')
    t.mock.timers.tick(1000)
    const second = send('c')
    t.mock.timers.tick(499)
    await settle()
    assert.equal(opened[0]?.isEnded, false)
    t.mock.timers.tick(1)
    const slow = { code: 'timeout' }
    await assert.rejects(first, slow)
    await assert.rejects(second, slow)
    assert.equal(opened[0]?.isEnded, true)
    assert.equal(await send('d'), 'OK')
  })

  it('is one that came while the process was busy with something else, after all', async (t) => {
    await send('a')
    mockTime(t)
    const late = Promise.withResolvers<RedisReply>()
    answer = () => late.promise
    const waiting = send('b')
    t.mock.timers.tick(1500)
    late.resolve('late')
    assert.equal(await waiting, 'late')
    await settle()
    assert.equal(opened[0]?.isEnded, false)
  })

  it('is waited for no longer when the connection itself does not come, and spares one that does', async (t) => {
    mockTime(t)
    const next = Promise.withResolvers<RedisConnection>()
    connecting = () => next.promise
    answer = never
    const waiting = send('a')
    t.mock.timers.tick(1400)
    next.resolve(fake())
    await settle()
    t.mock.timers.tick(100)
    await assert.rejects(waiting, { code: 'timeout' })
    assert.equal(opened[0]?.isEnded, false)
  })

  it('is waited for by 10,000 at once and no more', async () => {
    answer = never
    const waiting = Array.from({ length: 10_000 }, () => send('a'))
    await assert.rejects(send('b'), { code: 'too_many' })
    link.close()
    opened[0]?.end()
    for (const each of await Promise.allSettled(waiting)) assert.equal(each.status, 'rejected')
    answer = () => 'OK'
    await assert.rejects(send('c'), { code: 'closed' })
  })
})

describe('a server that is the wrong one', () => {
  for (const code of ['READONLY', 'MOVED', 'LOADING', 'CLUSTERDOWN', 'MASTERDOWN']) {
    it(`is left, and the right one asked, when it says ${code}`, async () => {
      answer = (_, connection) => {
        if (connection === 1) throw new RedisError(PLACE, code)
        return 'OK'
      }
      assert.equal(await send('a'), 'OK')
      assert.deepEqual(
        opened.map(({ asked, isEnded }) => [asked, isEnded]),
        [
          [['a'], true],
          [['a'], false],
        ],
      )
    })
  }

  it('is not looked for more than once by one who asks', async () => {
    const demoted = new RedisError(PLACE, 'READONLY')
    answer = () => {
      throw demoted
    }
    await assert.rejects(send('a'), demoted)
    assert.equal(opened.length, 2)
  })

  it('is not what a server is that refuses for a reason of its own', async () => {
    for (const code of ['OOM', 'MISCONF', 'NOPERM', 'WRONGTYPE', 'NOSCRIPT', 'TRYAGAIN', 'ERR']) {
      answer = () => {
        throw new RedisError(PLACE, code)
      }
      await assert.rejects(send('a'), { code })
    }
    assert.equal(attempts, 1)
  })
})

it('a link that is closed while it opens ends what comes about', async () => {
  const next = Promise.withResolvers<RedisConnection>()
  connecting = () => next.promise
  const waiting = send('a')
  link.close()
  next.resolve(fake())
  await assert.rejects(waiting, { code: 'closed' })
  assert.equal(opened[0]?.isEnded, true)
  await settle()
  assert.equal(attempts, 1)
})

it('a link that is closed while it fails to open stays closed', async (t) => {
  mockTime(t)
  const next = Promise.withResolvers<RedisConnection>()
  connecting = () => next.promise
  const waiting = send('a')
  link.close()
  next.reject(gone)
  await assert.rejects(waiting, gone)
  await assert.rejects(send('b'), { code: 'closed' })
  t.mock.timers.tick(60_000)
  await settle()
  assert.equal(attempts, 1)
})

it('a link that is closed while it waits to try again tries no more', async (t) => {
  mockTime(t)
  connecting = () => Promise.reject(gone)
  await assert.rejects(send('a'), gone)
  link.close()
  t.mock.timers.tick(60_000)
  await settle()
  assert.equal(attempts, 1)
})
