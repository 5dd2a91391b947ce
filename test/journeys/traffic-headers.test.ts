import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { type Client, createClient } from '../support/cookie-jar.ts'
import {
  type Arrival,
  type CountingUpstream,
  startCountingUpstream,
  valuesUnder,
} from '../support/counting-upstream.ts'
import { cookieLine, headerOf, rawRequest, sendRaw, statusesOf } from '../support/raw-exchange.ts'
import { ALICE, startWorld, type World } from '../support/world.ts'
import { signIn } from './steps.ts'

/** What the application is told of alice, by the name that it may look under. */
const IDENTITY = {
  'x-forwarded-user': 'alice',
  'x-forwarded-preferred-username': 'alice',
  'x-forwarded-email': 'alice@example.com',
  'x-forwarded-groups': 'hr,staff',
  'x-stepgate-acr': 'basic',
  'remote-user': 'alice',
}

const SPELLINGS: readonly ((name: string) => string)[] = [
  (name) => name,
  (name) => name.toUpperCase(),
  (name) => name.replaceAll('-', '_'),
  (name) => name.replace('-', '_'),
  (name) => name.replaceAll('-', '.').toUpperCase(),
]

describe('the headers of the application', () => {
  let upstream: CountingUpstream
  let world: World
  let browser: Client
  let cookie: string
  before(async () => {
    upstream = await startCountingUpstream((request, response) => {
      if (request.url?.startsWith('/basic/plant')) {
        response.setHeader('set-cookie', [
          'stepgate=planted; Path=/',
          'Stepgate=planted; Path=/',
          'stepgate.1=planted; Path=/',
          'stepgate-browser=planted',
          'stepgate-resume=planted',
          'own=kept; Path=/',
        ])
        response.setHeader('x-stepgate-acr', 'twilio_sms')
      }
      response.end('yes')
    })
    world = await startWorld({
      env: {
        STEPGATE_UPSTREAM: upstream.origin.origin,
        STEPGATE_RULES: 'public /public/**; basic /basic/**',
        STEPGATE_HEADERS: 'REMOTE_USER={username}; X-Real-IP={client_address}',
      },
    })
    browser = createClient()
    await signIn(world, browser)
    cookie = cookieLine(browser, world.url)
    upstream.take()
  })
  after(async () => {
    await world.close()
    await upstream.close()
  })

  async function arrivalOf(t: TestContext, path: string, headers: readonly string[]) {
    const fixed = [`Host: ${world.url.host}`, 'Connection: close']
    const text = await sendRaw(
      t,
      world.url.port,
      rawRequest(`GET ${path} HTTP/1.1`, [...fixed, ...headers]),
    )
    const arrived = upstream.take()
    assert.deepEqual([arrived.length, statusesOf(text)], [1, [200]], text)
    return { arrival: arrived[0] as Arrival, text }
  }

  for (const [name, value] of Object.entries(IDENTITY)) {
    test(`${name} is ours alone, however a client spells it`, async (t) => {
      const spoofed = SPELLINGS.map((spell) => `${spell(name)}: admin`)
      for (const headers of [
        ...spoofed.map((line) => [line]),
        ...spoofed.map((line) => [line, line]),
        [...spoofed, `Connection: ${name}`],
        [`Connection: ${name}`],
        [`Connection: close, ${name.toUpperCase()}`, `${name}: admin`],
        [`${name}:`],
      ]) {
        const { arrival } = await arrivalOf(t, '/basic/x', [cookie, ...headers])
        assert.deepEqual(valuesUnder(arrival, name), [value], headers.join())
      }
    })

    test(`${name} is absent for somebody unknown on a public path`, async (t) => {
      const spoofed = SPELLINGS.map((spell) => `${spell(name)}: admin`)
      const { arrival } = await arrivalOf(t, '/public/x', spoofed)
      assert.deepEqual(valuesUnder(arrival, name), [])
    })
  }

  test('nothing under X-Stepgate- or X-Forwarded- comes from a client', async (t) => {
    const { arrival } = await arrivalOf(t, '/public/x', [
      'X-Stepgate-Whatever: 1',
      'x_stepgate_later: 1',
      'X-Forwarded-Client-Cert: 1',
      'X-Forwarded-For: 198.51.100.9',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: evil.example',
      'Forwarded: for=198.51.100.9',
      'X_Real_IP: 198.51.100.9',
      'CF-Connecting-IP: 198.51.100.9',
      'X-Request-Id: mine',
    ])
    assert.doesNotMatch(arrival.rawHeaders.join('\n'), /whatever|later|cert|198\.51|evil|mine/i)
    assert.deepEqual(valuesUnder(arrival, 'x-forwarded-for'), ['127.0.0.1'])
    assert.deepEqual(valuesUnder(arrival, 'x-real-ip'), ['127.0.0.1'])
    assert.deepEqual(valuesUnder(arrival, 'x-forwarded-proto'), ['http'])
    assert.deepEqual(valuesUnder(arrival, 'x-forwarded-host'), [world.url.host])
  })

  test('a client can not take away what the application needs', async (t) => {
    const names = 'Connection: close, host, cookie, content-length, x-forwarded-for, x-request-id'
    const { arrival } = await arrivalOf(t, '/basic/x', [`${cookie}; own=1`, names])
    assert.deepEqual(valuesUnder(arrival, 'host'), [world.url.host])
    assert.deepEqual(valuesUnder(arrival, 'cookie'), ['own=1'])
    for (const name of ['x-forwarded-for', 'x-request-id', 'x-forwarded-user']) {
      assert.equal(valuesUnder(arrival, name).length, 1, name)
    }
  })

  test('our cookies stay with us, the application keeps its own', async (t) => {
    const { arrival } = await arrivalOf(t, '/basic/x', [
      `${cookie}; own=1; stepgate.1=x; stepgate-resume=y; other=2`,
    ])
    assert.deepEqual(valuesUnder(arrival, 'cookie'), ['own=1; other=2'])
    const none = await arrivalOf(t, '/basic/x', [cookie])
    assert.deepEqual(valuesUnder(none.arrival, 'cookie'), [])
  })

  test('an application can not plant our cookies or speak in our name', async () => {
    const page = await browser.get(new URL('/basic/plant', world.url))
    assert.deepEqual(page.headers.getSetCookie(), ['own=kept; Path=/'])
    assert.equal(page.headers.get('x-stepgate-acr'), null)
    upstream.take()
  })

  test('the request id is one: upstream, in the log and on our pages', async (t) => {
    const { arrival } = await arrivalOf(t, '/basic/x', [cookie, 'X-Request-Id: mine'])
    const [id, ...more] = valuesUnder(arrival, 'x-request-id')
    assert.match(id ?? '', /^[0-9a-f-]{36}$/)
    assert.deepEqual(more, [])
    assert.equal(world.logs('request').at(-1)?.request_id, id)
    const subject = world.logs('sign_in.succeeded').at(-1)?.subject
    assert.ok(subject)
    assert.equal(world.logs('request').at(-1)?.subject, subject)

    for (const [path, status] of [
      ['/_stepgate/session', 200],
      ['/_stepgate/nothing', 404],
      ['/twilio', 302],
      ['//', 400],
    ] as const) {
      const headers = [`Host: ${world.url.host}`, 'Connection: close', 'Accept: text/html', cookie]
      const text = await sendRaw(t, world.url.port, rawRequest(`GET ${path} HTTP/1.1`, headers))
      assert.deepEqual(statusesOf(text), [status])
      const shown = headerOf(text, 'x-request-id')
      assert.equal(world.logs('request').at(-1)?.request_id, shown, path)
      const known = path === '/_stepgate/session' || path === '/twilio'
      assert.equal(world.logs('request').at(-1)?.subject, known ? subject : undefined)
      if (status === 400 || status === 404) assert.ok(text.includes(`>${shown}<`), text)
    }
    assert.deepEqual(upstream.take(), [])
    assert.equal(world.messages(ALICE).length, 0)
  })
})
