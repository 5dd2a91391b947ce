import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, type TestContext, test } from 'node:test'
import type { PartCheck } from '../proxy/part-check.ts'
import type { PhoneDirectory } from '../proxy/phone/phone-directory.ts'
import type { Provider } from '../proxy/sign-in/provider.ts'
import { type Store, StoreUnavailableError } from '../proxy/store/store.ts'
import { createMemoryStore } from '../proxy/store/store-memory.ts'
import type { UpstreamCheck } from '../proxy/upstream/forward.ts'
import { type Door, openDoor, quietProvider } from './support/door.ts'
import { headerOf, rawRequest, sendRaw, statusesOf } from './support/raw-exchange.ts'

const CANARY = 'canary-of-a-detail'

describe('health', () => {
  let door: Door
  let known: boolean
  let directoryCheck: () => Promise<PartCheck>
  let ping: () => Promise<void>
  let upstreamCheck: () => Promise<UpstreamCheck>
  beforeEach(async () => {
    known = true
    upstreamCheck = async () => ({ isWell: true, failures: [] })
    directoryCheck = async () => ({ kind: 'ok', detail: '' })
    ping = async () => {}
    const provider: Provider = { ...quietProvider, isKnown: () => known }
    const store: Store = { ...createMemoryStore(), ping: () => ping() }
    const directory: PhoneDirectory = {
      lookUp: async () => ({ kind: 'none' }),
      check: () => directoryCheck(),
      close: async () => {},
    }
    door = await openDoor({
      overrides: { provider, store, directory },
      change: ({ upstream, ...context }) => {
        const forwarder = { ...upstream.forwarder, check: () => upstreamCheck() }
        return { ...context, upstream: { ...upstream, forwarder } }
      },
    })
  })
  afterEach(() => door.close())

  async function ask(t: TestContext, path: string, method = 'GET') {
    const headers = ['Host: app.example.com', 'Connection: close', 'Accept: text/html']
    const text = await sendRaw(t, door.port, rawRequest(`${method} ${path} HTTP/1.1`, headers))
    const [head = '', body = ''] = text.split('\r\n\r\n')
    return { status: statusesOf(head)[0], head, body, json: () => JSON.parse(body) }
  }

  const OK = {
    provider: 'ok',
    store: 'ok',
    directory: 'ok',
    upstream: 'ok',
    sms: 'ok',
    calls: 'ok',
  }
  const BREAK = {
    provider: () => {
      known = false
    },
    store: () => {
      ping = async () => {
        throw new StoreUnavailableError(new Error(CANARY))
      }
    },
    directory: () => {
      directoryCheck = async () => ({ kind: 'problem', detail: 'The directory says no.' })
    },
    upstream: () => {
      const failures = [{ name: 'http://127.0.0.1:3000', error: new Error(CANARY) }]
      upstreamCheck = async () => ({ isWell: false, failures })
    },
  }

  test('is well when all parts are', async (t) => {
    const { status, json, head } = await ask(t, '/_stepgate/readyz')
    assert.deepEqual([status, json()], [200, { status: 'ok', checks: OK }])
    assert.equal(headerOf(head, 'cache-control'), 'no-store')
    assert.deepEqual((await ask(t, '/_stepgate/readyz', 'HEAD')).body, '')
  })

  for (const [part, breakIt] of Object.entries(BREAK)) {
    test(`names ${part} when it is down, and heals`, async (t) => {
      breakIt()
      const { status, json, body } = await ask(t, '/_stepgate/readyz')
      const checks = { ...OK, [part]: 'unavailable' }
      assert.deepEqual([status, json()], [503, { status: 'unavailable', checks }])
      assert.ok(!body.includes('The directory says'))
      assert.ok(!door.lines().some((line) => line.includes(CANARY)))
      const warned = door.logs().filter(({ level }) => level === 'warn')
      // The provider's own attempts are logged by itself.
      assert.equal(warned.length, part === 'provider' ? 0 : 1)
      assert.equal((await ask(t, '/_stepgate/healthz')).status, 200)

      known = true
      ping = async () => {}
      directoryCheck = async () => ({ kind: 'ok', detail: '' })
      upstreamCheck = async () => ({ isWell: true, failures: [] })
      assert.equal((await ask(t, '/_stepgate/readyz')).status, 200)
    })
  }

  test('is well while every application has an address left, and the log names the other', async (t) => {
    const failures = [{ name: 'http://127.0.0.1:3000', error: new Error(CANARY) }]
    upstreamCheck = async () => ({ isWell: true, failures })
    assert.equal((await ask(t, '/_stepgate/readyz')).status, 200)
    const [warned] = door.logs().filter(({ level }) => level === 'warn')
    assert.equal(warned?.upstream, 'http://127.0.0.1:3000')
  })

  test('is 500 when a check itself is broken, and heals', async (t) => {
    directoryCheck = () => Promise.reject(new TypeError(CANARY))
    assert.equal((await ask(t, '/_stepgate/readyz')).status, 500)
    assert.ok(!door.lines().some((line) => line.includes(CANARY)))
    directoryCheck = async () => ({ kind: 'ok', detail: '' })
    assert.equal((await ask(t, '/_stepgate/readyz')).status, 200)
  })

  test('checks once for all who ask meanwhile', async (t) => {
    const first = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    let checks = 0
    ping = () => {
      checks += 1
      begun.resolve()
      return first.promise
    }
    const one = ask(t, '/_stepgate/readyz')
    await begun.promise
    const others = Array.from({ length: 5 }, () => ask(t, '/_stepgate/readyz'))
    // By another connection, after theirs: they have been read.
    for (let count = 0; count < 3; count++) await ask(t, '/_stepgate/healthz')
    first.resolve()
    const statuses = (await Promise.all([one, ...others])).map(({ status }) => status)
    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 200])
    assert.ok(checks <= 2, `${checks} checks`)
  })

  test('lives whatever is down', async (t) => {
    for (const breakIt of Object.values(BREAK)) breakIt()
    const { status, json } = await ask(t, '/_stepgate/healthz')
    assert.deepEqual([status, json()], [200, { status: 'ok' }])
  })
})
