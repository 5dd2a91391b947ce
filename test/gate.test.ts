import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, type TestContext, test } from 'node:test'
import { emptyNotes } from '../proxy/access-notes.ts'
import type { Context } from '../proxy/context.ts'
import type { Exchange } from '../proxy/exchange.ts'
import { passGate } from '../proxy/gate.ts'
import type { PageSet } from '../proxy/page-set.ts'
import type { Rule } from '../proxy/policy/rule.ts'
import { type Provider, ProviderUnknownError, PushFailedError } from '../proxy/sign-in/provider.ts'
import { type Store, StoreUnavailableError } from '../proxy/store/store.ts'
import { createMemoryStore } from '../proxy/store/store-memory.ts'
import { type CountingUpstream, startCountingUpstream } from './support/counting-upstream.ts'
import { type Door, type DoorOptions, openDoor, quietProvider } from './support/door.ts'
import { headerOf, rawRequest, sendRaw, statusesOf } from './support/raw-exchange.ts'

const CANARY = 'canary-of-an-error-message'
const PAGE = ['Sec-Fetch-Mode: navigate', 'Accept: text/html']
const RULES = 'deny /denied; twilio_sms /code; public /public; basic /**'

function fail(error: unknown): never {
  throw error
}

describe('the gate', () => {
  let upstream: CountingUpstream
  let door: Door | undefined
  beforeEach(async () => {
    upstream = await startCountingUpstream()
  })
  afterEach(async () => {
    await door?.close()
    door = undefined
    await upstream.close()
  })

  async function open(options: DoorOptions = {}): Promise<Door> {
    const env = { STEPGATE_UPSTREAM: upstream.origin.origin, STEPGATE_RULES: RULES }
    door = await openDoor({ ...options, env: { ...env, ...options.env } })
    return door
  }

  const ask = (t: TestContext, { port }: Door, path: string, headers: readonly string[]) => {
    const fixed = ['Host: app.example.com', 'Connection: close']
    return sendRaw(t, port, rawRequest(`GET ${path} HTTP/1.1`, [...fixed, ...headers]))
  }

  /** What is thrown somewhere on the way of a request that would otherwise be let through. */
  const BROKEN: Record<string, (context: Context, error: unknown) => Context> = {
    'the memory of sessions': (context, error) => ({
      ...context,
      sessions: { ...context.sessions, peek: () => fail(error) },
    }),
    'the reader of sessions': (context, error) => ({
      ...context,
      sessions: { ...context.sessions, read: () => Promise.reject(error) },
    }),
    'the pattern of a rule': (context, error) => {
      // One that has to be asked about each path.
      const broken: Rule = { source: '', requires: 'public', matchesPath: () => fail(error) }
      const rules = [broken, ...context.config.rules]
      return { ...context, config: { ...context.config, rules } }
    },
    'the identity headers': (context, error) => ({
      ...context,
      upstream: { ...context.upstream, identityOf: () => fail(error) },
    }),
    'the header rebuild': (context, error) => ({
      ...context,
      upstream: {
        ...context.upstream,
        headerSettings: { ...context.upstream.headerSettings, judge: () => fail(error) },
      },
    }),
    'the forwarder': (context, error) => ({
      ...context,
      upstream: {
        ...context.upstream,
        forwarder: { ...context.upstream.forwarder, forward: () => Promise.reject(error) },
      },
    }),
  }
  for (const [name, change] of Object.entries(BROKEN)) {
    test(`lets nothing through when ${name} fails, and says so`, async (t) => {
      for (const error of [new TypeError(CANARY), CANARY, undefined]) {
        const broken = await open({ change: (context) => change(context, error) })
        const cookie = await broken.cookieOf()
        const page = await ask(t, broken, '/x', [cookie, ...PAGE])
        assert.deepEqual(statusesOf(page), [500])
        assert.match(headerOf(page, 'content-type') ?? '', /^text\/html/)
        assert.ok(page.includes(`>${headerOf(page, 'x-request-id')}<`))

        const json = await ask(t, broken, '/x', [cookie])
        const id = headerOf(json, 'x-request-id')
        assert.deepEqual(statusesOf(json), [500])
        assert.deepEqual(JSON.parse(json.split('\r\n\r\n')[1] ?? ''), {
          error: 'internal_error',
          request_id: id,
        })
        const line = broken.logs().findLast(({ msg }) => msg === 'Request failed')
        const described = error instanceof Error ? 'TypeError' : typeof error
        assert.deepEqual([line?.request_id, line?.error], [id, described])
        assert.ok(![page, json, ...broken.lines()].some((text) => text.includes(CANARY)))
        assert.deepEqual(upstream.take(), [])
        await broken.close()
        door = undefined
      }
    })
  }

  test('cuts off a response that had begun when something failed', async (t) => {
    const broken = await open({
      change: (context) => ({
        ...context,
        upstream: {
          ...context.upstream,
          forwarder: {
            ...context.upstream.forwarder,
            async forward(_request, _incoming, outgoing) {
              outgoing.writeHead(200, { 'Content-Length': 100 })
              await new Promise((resolve) => outgoing.write('half', resolve))
              fail(new TypeError(CANARY))
            },
          },
        },
      }),
    })
    const text = await ask(t, broken, '/x', [await broken.cookieOf()])
    assert.match(text, /^HTTP\/1\.1 200 [\s\S]*half$/)
  })

  test('denies what a rule asks for in words that it does not know', async (t) => {
    const strange = await open({
      change(context) {
        const [, , , last] = context.config.rules
        assert.ok(last)
        const rules = [{ ...last, requires: 'retina_scan' as 'basic' }]
        return { ...context, config: { ...context.config, rules } }
      },
    })
    const text = await ask(t, strange, '/x', [await strange.cookieOf()])
    assert.deepEqual(statusesOf(text), [403])
    assert.deepEqual(upstream.take(), [])
  })

  test('gives a page before the provider to a window of a browser alone, and begins no sign-in for it', async (t) => {
    let begun = 0
    const provider: Provider = {
      ...quietProvider,
      authorizationUrl(request) {
        begun++
        return quietProvider.authorizationUrl(request)
      },
    }
    const opened = await open({ overrides: { provider } })
    const window = [
      ...['Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document', 'Upgrade-Insecure-Requests: 1'],
      ...['User-Agent: Mozilla/5.0 (X11)', 'Accept-Encoding: gzip', 'Accept: text/html'],
    ]
    const page = await ask(t, opened, '/x', window)
    assert.deepEqual(statusesOf(page), [200])
    assert.match(page, /href="\/_stepgate\/sign-in\?return_to=%2Fx" data-go/)
    assert.deepEqual([begun, headerOf(page, 'set-cookie')], [0, undefined])
    assert.equal(headerOf(page, 'cache-control'), 'no-store')
    const other = (old: string, by: string) => window.map((line) => (line === old ? by : line))
    for (const headers of [
      // Without Accept it is none at all without the mode.
      ...window.slice(0, -1).map((line) => window.filter((each) => each !== line)),
      other('Sec-Fetch-Dest: document', 'Sec-Fetch-Dest: iframe'),
      other('Upgrade-Insecure-Requests: 1', 'Upgrade-Insecure-Requests: 0'),
      other('User-Agent: Mozilla/5.0 (X11)', 'User-Agent: curl/8 Mozilla/5.0'),
    ]) {
      const text = await ask(t, opened, '/x', headers)
      assert.deepEqual(statusesOf(text), [302], headers.join())
      assert.match(headerOf(text, 'location') ?? '', /^https:\/\/login\.example\.com\//)
    }
    assert.equal(begun, 8)
    const script = [...window.slice(1), 'Sec-Fetch-Mode: cors']
    assert.deepEqual(statusesOf(await ask(t, opened, '/x', script)), [401])
  })

  test('asks a provider that requests are pushed to for no page that nobody has asked for', async (t) => {
    let asked = 0
    const authorizationUrl: Provider['authorizationUrl'] = (request) => {
      asked += 1
      return quietProvider.authorizationUrl(request)
    }
    for (const [pushes, status] of [
      [true, 401],
      [false, 302],
    ] as const) {
      const provider: Provider = { ...quietProvider, pushes: () => pushes, authorizationUrl }
      const opened = await open({ overrides: { provider } })
      const ahead = await ask(t, opened, '/x', ['Accept: text/html', 'Purpose: prefetch'])
      assert.deepEqual(statusesOf(ahead), [status])
      assert.equal(asked, pushes ? 0 : 2)
      const wanted = await ask(t, opened, '/x', ['Accept: text/html'])
      assert.deepEqual(statusesOf(wanted), [302])
      await opened.close()
      door = undefined
    }
  })

  test('says to try again when the provider is not known, and 500 when it is broken', async (t) => {
    for (const [error, status, code] of [
      [new ProviderUnknownError(), 503, 'provider_unavailable'],
      [new PushFailedError('too_many'), 503, 'provider_unavailable'],
      [new TypeError(CANARY), 500, 'internal_error'],
    ] as const) {
      const provider = { ...quietProvider, authorizationUrl: () => Promise.reject(error) }
      const broken = await open({ overrides: { provider } })
      for (const path of ['/x?y=1', '/_stepgate/sign-in']) {
        const text = await ask(t, broken, path, PAGE)
        assert.deepEqual(statusesOf(text), [status])
        assert.equal(headerOf(text, 'retry-after'), status === 503 ? '5' : undefined)
        assert.match(headerOf(text, 'content-type') ?? '', /^text\/html/)
        assert.ok(text.includes(`href="${path}"`), text)
        assert.ok(!text.includes(CANARY))
      }
      const api = await ask(t, broken, '/_stepgate/sign-in', [])
      assert.equal(JSON.parse(api.split('\r\n\r\n')[1] ?? '').error, code)
      assert.deepEqual(upstream.take(), [])
      await broken.close()
      door = undefined
    }
  })

  test('a form is kept while the provider is gone, and goes on to where it was sent', async (t) => {
    for (const [error, status] of [
      [new ProviderUnknownError(), 503],
      [new PushFailedError('unreachable'), 503],
      [new TypeError(CANARY), 500],
    ] as const) {
      const provider = { ...quietProvider, authorizationUrl: () => Promise.reject(error) }
      const broken = await open({ overrides: { provider } })
      const { port } = broken
      const from = ['Host: app.example.com', 'Origin: https://app.example.com', ...PAGE]
      const form = [...from, 'Connection: close', 'Content-Length: 3']
      const target = '/x?file=C:\\dir'
      const text = await sendRaw(t, port, rawRequest(`POST ${target} HTTP/1.1`, form, 'a=b'))
      assert.deepEqual(statusesOf(text), [status])
      const [, way] = /href="(\/_stepgate\/sign-in[^"]*)"/.exec(text) ?? []
      const [, browser] = /^set-cookie: (__Host-stepgate-resume=[\w-]{43});/im.exec(text) ?? []
      const resume = new URL(way ?? '', 'https://app.example.com').searchParams.get('return_to')
      assert.match(resume ?? '', /^\/_stepgate\/resume\?id=/)

      const cookie = `${await broken.cookieOf()}; ${browser}`
      const page = await ask(t, broken, resume ?? '', [cookie, ...PAGE])
      assert.deepEqual(statusesOf(page), [200])
      assert.ok(page.includes(`action="${target}"`), page)
      await broken.close()
      door = undefined
    }
  })

  test('goes on for those who are signed in while store and provider are gone', async (t) => {
    const gone = async () => fail(new StoreUnavailableError(new Error(CANARY)))
    const store: Store = { ...createMemoryStore(), get: gone, put: gone, count: gone, swap: gone }
    const provider = { ...quietProvider, isKnown: () => false }
    const broken = await open({ overrides: { store, provider } })
    const cookie = await broken.cookieOf()
    assert.deepEqual(statusesOf(await ask(t, broken, '/x', [cookie])), [200])
    assert.equal(upstream.take().length, 1)

    assert.deepEqual(statusesOf(await ask(t, broken, '/code', [cookie, ...PAGE])), [302])
    const page = await ask(t, broken, '/_stepgate/otp?return_to=/code', [cookie, ...PAGE])
    assert.deepEqual(statusesOf(page), [503])
    assert.equal(headerOf(page, 'retry-after'), '5')
    assert.ok(![page, ...broken.lines()].some((text) => text.includes(CANARY)))
    assert.deepEqual(upstream.take(), [])
  })

  test('answers in JSON when even the pages are broken', async (t) => {
    const whole = await open()
    const { pages } = whole.context
    await whole.close()
    for (const render of [
      () => Promise.reject(new TypeError(CANARY)),
      () => fail(new TypeError(CANARY)),
    ]) {
      const broken = await open({ overrides: { pages: { ...pages, render } as PageSet } })
      const cookie = await broken.cookieOf()
      for (const path of ['/denied', '//', '/_stepgate/nothing', '/_stepgate/signed-out']) {
        const text = await ask(t, broken, path, [cookie, ...PAGE])
        const id = headerOf(text, 'x-request-id')
        assert.deepEqual(statusesOf(text), [500], path)
        assert.deepEqual(JSON.parse(text.split('\r\n\r\n')[1] ?? ''), {
          error: 'internal_error',
          request_id: id,
        })
        assert.ok(![text, ...broken.lines()].some((line) => line.includes(CANARY)))
      }
      assert.deepEqual(statusesOf(await ask(t, broken, '/x', [cookie])), [200])
      assert.equal(upstream.take().length, 1)
      await broken.close()
      door = undefined
    }
  })
})

describe('an allowed request with a known session', () => {
  let upstream: CountingUpstream
  let door: Door
  const calls: string[] = []
  beforeEach(async () => {
    calls.length = 0
    upstream = await startCountingUpstream()
    door = await openDoor({
      env: { STEPGATE_UPSTREAM: upstream.origin.origin, STEPGATE_RULES: RULES },
      overrides: { store: counted('store', createMemoryStore()) },
      change: (context) => ({ ...context, sessions: counted('sessions', context.sessions) }),
    })
    calls.length = 0
  })
  afterEach(async () => {
    await door.close()
    await upstream.close()
  })

  function counted<Part extends object>(name: string, part: Part): Part {
    return new Proxy(part, {
      get(target, key, receiver) {
        const value = Reflect.get(target, key, receiver)
        if (typeof value !== 'function') return value
        return (...given: unknown[]) => {
          calls.push(`${name}.${String(key)}`)
          return value.apply(target, given)
        }
      },
    })
  }
  /** Polling for what others revoked goes on beside the requests. */
  const counts = () => {
    const wanted = calls.filter((call) => call !== 'store.revocations' && call !== 'sessions.peek')
    return Object.fromEntries(
      Object.entries(Object.groupBy(wanted, (call) => call)).map(([call, all]) => [
        call,
        all?.length,
      ]),
    )
  }

  test('asks no store and unseals nothing, a hundred times', async (t) => {
    const cookie = await door.cookieOf()
    const request = rawRequest('GET /x HTTP/1.1', ['Host: app.example.com', cookie])
    const last = rawRequest('GET /x HTTP/1.1', [
      'Host: app.example.com',
      'Connection: close',
      cookie,
    ])
    await sendRaw(t, door.port, last)
    assert.deepEqual(counts(), { 'sessions.read': 1 })
    for (let round = 0; round < 10; round++) {
      const text = await sendRaw(t, door.port, request.repeat(9) + last)
      assert.equal(statusesOf(text).filter((status) => status === 200).length, 10)
    }
    assert.equal(upstream.take().length, 101)
    assert.deepEqual(counts(), { 'sessions.read': 1 })
  })

  test('is at the application before anything is awaited', async (t) => {
    const cookie = await door.cookieOf()
    const headers = ['Host: app.example.com', 'Connection: close', cookie]
    await sendRaw(t, door.port, rawRequest('GET /x HTTP/1.1', headers))

    const { context } = door
    let forwarded = 0
    const forwarder = {
      ...context.upstream.forwarder,
      forward: async () => {
        forwarded += 1
        return { kind: 'answered', status: 200 } as const
      },
    }
    const incoming = {
      method: 'GET',
      headers: { cookie: cookie.replace('Cookie: ', '') },
      rawHeaders: headers.flatMap((line) => line.split(': ')),
    }
    const exchange = {
      incoming,
      outgoing: {},
      requestId: 'request-1',
      client: {
        address: '127.0.0.1',
        chain: ['127.0.0.1'],
        proto: 'http',
        host: 'app.example.com',
      },
      hosts: ['app.example.com'],
      target: { raw: '/x', paths: ['/x'], query: '' },
      notes: emptyNotes('own'),
    } as unknown as Exchange
    const passed = passGate({ ...context, upstream: { ...context.upstream, forwarder } }, exchange)
    assert.equal(forwarded, 1)
    await passed
  })
})
