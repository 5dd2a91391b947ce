import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createClient } from '../support/cookie-jar.ts'
import {
  type CountingUpstream,
  startCountingUpstream,
  valuesUnder,
  YES,
} from '../support/counting-upstream.ts'
import { cookieLine, headerOf, rawRequest, sendRaw, statusesOf } from '../support/raw-exchange.ts'
import { startWorld, type World } from '../support/world.ts'
import { rawClient } from '../upstream/sockets.ts'
import { signIn } from './steps.ts'

const HOST = 'Host: app.example.com'
const GET = 'GET /x HTTP/1.1'

/**
 * Requests that two servers could read in two ways: line, headers, body; `ours` is the reason that
 * we give, where node does not.
 */
const REFUSED: Record<
  string,
  { line: string; headers?: readonly string[]; body?: string; status?: number; ours?: string }
> = {
  'absolute form': { line: 'GET http://app.example.com/x HTTP/1.1', ours: 'not-origin-form' },
  'absolute form of another host': {
    line: 'GET http://169.254.169.254/latest HTTP/1.1',
    ours: 'not-origin-form',
  },
  'authority form': { line: 'GET app.example.com:443 HTTP/1.1' },
  'asterisk form': { line: 'OPTIONS * HTTP/1.1', ours: 'not-origin-form' },
  TRACE: { line: 'TRACE /x HTTP/1.1', status: 405, ours: 'refused-method' },
  'a method that nobody knows': { line: 'FOO /x HTTP/1.1' },
  'a method in lower case': { line: 'get /x HTTP/1.1' },
  'HTTP/0.9': { line: 'GET /x', ours: 'http-version' },
  'HTTP/2 without its preface': { line: 'GET /x HTTP/2.0', ours: 'http-version' },
  'HTTP/1.2': { line: 'GET /x HTTP/1.2' },
  'no Host': { line: GET, headers: [], ours: 'missing-host' },
  'two Hosts': { line: GET, headers: [HOST, 'Host: other'], ours: 'repeated-host' },
  'twice the same Host': { line: GET, headers: [HOST, HOST], ours: 'repeated-host' },
  'Host with a path': { line: GET, headers: ['Host: app/x'], ours: 'malformed-host' },
  'Host with a user': { line: GET, headers: ['Host: a@app'], ours: 'malformed-host' },
  'Host of nothing': { line: GET, headers: ['Host:'], ours: 'malformed-host' },
  'Host with two ports': { line: GET, headers: ['Host: app:1:2'], ours: 'malformed-host' },
  'two slashes': { line: 'GET //x HTTP/1.1', ours: 'empty-segment' },
  'two slashes within': { line: 'GET /a//x HTTP/1.1', ours: 'empty-segment' },
  backslash: { line: 'GET /\\x HTTP/1.1', ours: 'backslash' },
  'encoded backslash': { line: 'GET /a%5cx HTTP/1.1', ours: 'backslash' },
  'encoded slash': { line: 'GET /a%2Fx HTTP/1.1', ours: 'encoded-slash' },
  fragment: { line: 'GET /x#y HTTP/1.1', ours: 'fragment' },
  'encoded NUL': { line: 'GET /x%00 HTTP/1.1', ours: 'control-character' },
  'encoded newline': { line: 'GET /x%0d%0aX:y HTTP/1.1', ours: 'control-character' },
  'dot segments': { line: 'GET /a/../x HTTP/1.1', ours: 'dot-segment' },
  'encoded dot segments': { line: 'GET /a/%2e%2E/x HTTP/1.1', ours: 'dot-segment' },
  'dot segments with parameters': { line: 'GET /a/..;/x HTTP/1.1', ours: 'dot-segment' },
  'overlong dots': { line: 'GET /%c0%ae%c0%ae/x HTTP/1.1', ours: 'overlong-character' },
  'broken escape': { line: 'GET /%zz HTTP/1.1', ours: 'malformed-escape' },
  'a space in the target': { line: 'GET /x y HTTP/1.1' },
  'a length beside chunks': {
    line: 'POST /x HTTP/1.1',
    headers: [HOST, 'Content-Length: 5', 'Transfer-Encoding: chunked'],
    body: '0\r\n\r\n',
  },
  'identity, chunked': {
    line: 'POST /x HTTP/1.1',
    headers: [HOST, 'Transfer-Encoding: identity, chunked'],
    body: '0\r\n\r\n',
    ours: 'transfer-encoding',
  },
  'chunks that node:http does not see beside an Upgrade': {
    line: 'POST /x HTTP/1.1',
    headers: [HOST, 'Upgrade: h2c', 'Connection: Upgrade', 'Transfer-Encoding: chunked\t'],
    body: '5\r\nhello\r\n0\r\n\r\n',
    ours: 'transfer-encoding',
  },
  'a chunked body beside an Upgrade that is empty, as nothing tells it from a lost one': {
    line: 'POST /x HTTP/1.1',
    headers: [HOST, 'Upgrade: h2c', 'Connection: Upgrade', 'Transfer-Encoding: chunked'],
    body: '0\r\n\r\n',
    ours: 'transfer-encoding',
  },
  'two Transfer-Encodings': {
    line: 'POST /x HTTP/1.1',
    headers: [HOST, 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
    body: '0\r\n\r\n',
  },
  'chunks that end in something else': {
    line: 'POST /x HTTP/1.1',
    headers: [HOST, 'Transfer-Encoding: chunked, identity'],
    body: '0\r\n\r\n',
  },
  'chunks in HTTP/1.0': {
    line: 'POST /x HTTP/1.0',
    headers: [HOST, 'Transfer-Encoding: chunked'],
    body: '0\r\n\r\n',
    ours: 'transfer-encoding',
  },
  'two lengths': {
    line: 'POST /x HTTP/1.1',
    headers: [HOST, 'Content-Length: 0', 'Content-Length: 5'],
  },
  'a length with a sign': { line: 'POST /x HTTP/1.1', headers: [HOST, 'Content-Length: +5'] },
  'a list of lengths': { line: 'POST /x HTTP/1.1', headers: [HOST, 'Content-Length: 5, 5'] },
  'a line that goes on': { line: GET, headers: [HOST, 'X-A: b', ' c: d'] },
  'a space before the colon': { line: GET, headers: [HOST, 'X-Forwarded-User : admin'] },
  'NUL in a header': { line: GET, headers: [HOST, 'X-A: b\0c'] },
  'a lone newline in a header': { line: GET, headers: [HOST, 'X-A: b\nX-Forwarded-User: admin'] },
  'a lone return in a header': { line: GET, headers: [HOST, 'X-A: b\rX-Forwarded-User: admin'] },
  'more headers than node keeps': {
    line: GET,
    headers: [...Array.from({ length: 2_100 }, () => 'X:'), HOST],
    status: 431,
    ours: 'header-size',
  },
  '100 KB of headers': {
    line: GET,
    headers: [HOST, `X-A: ${'x'.repeat(100_000)}`],
    status: 431,
    ours: 'header-size',
  },
}

describe('a request that has no single reading', () => {
  let upstream: CountingUpstream
  let world: World
  let cookie: string
  before(async () => {
    upstream = await startCountingUpstream()
    world = await startWorld({
      env: { STEPGATE_UPSTREAM: upstream.origin.origin, STEPGATE_DEFAULT_ACR: 'basic' },
    })
    const browser = createClient()
    await signIn(world, browser)
    cookie = cookieLine(browser, world.url)
    upstream.take()
  })
  after(async () => {
    await world.close()
    await upstream.close()
  })

  const send = (t: TestContext, bytes: string) => sendRaw(t, world.url.port, bytes)
  const good = (path: string, ...headers: readonly string[]) =>
    rawRequest(`GET ${path} HTTP/1.1`, [HOST, cookie, ...headers])

  for (const [name, { line, headers = [HOST], body = '', status = 400, ours }] of Object.entries(
    REFUSED,
  )) {
    test(`${name} is refused, and all that follows on the connection with it`, async (t) => {
      const denied = world.logs('request.denied').length
      // Behind what ends a connection by itself, node's parser takes no more.
      const follower = /HTTP\/1\.[12]$/.test(line) ? good('/follower') : ''
      const text = await send(t, rawRequest(line, [...headers, cookie], body) + follower)
      assert.deepEqual(statusesOf(text), [status])
      assert.equal(headerOf(text, 'connection')?.toLowerCase(), 'close')
      assert.deepEqual(upstream.take(), [])
      const lines = world.logs('request.denied').slice(denied)
      assert.deepEqual(
        lines.map(({ reason }) => reason),
        ours === undefined ? [] : [ours],
      )
      if (ours !== undefined) {
        assert.equal(lines[0]?.client, '127.0.0.1')
        assert.equal(headerOf(text, 'x-request-id'), lines[0]?.request_id)
        assert.equal(JSON.parse(text.split('\r\n\r\n')[1] ?? '').error, ours)
      }

      assert.match(await send(t, good('/next', 'Connection: close')), new RegExp(`${YES}$`))
      assert.equal(upstream.take().length, 1)
    })
  }

  test('CONNECT opens no tunnel, and its connection ends', async (t) => {
    const text = await send(
      t,
      rawRequest('CONNECT 127.0.0.1:22 HTTP/1.1', [HOST, cookie]) + good('/follower'),
    )
    assert.deepEqual(statusesOf(text), [405])
    assert.deepEqual(upstream.take(), [])
  })

  test('CONNECT is answered, counted and logged as any other', async (t) => {
    const denied = world.logs('request.denied').length
    for (const more of [[], ['Content-Length: 5'], ['Transfer-Encoding: chunked']]) {
      const text = await send(t, rawRequest('CONNECT a:1 HTTP/1.1', [HOST, ...more], 'hello'))
      assert.equal(JSON.parse(text.split('\r\n\r\n')[1] ?? '').error, 'refused-method')
      const [line] = world.logs('request.denied').slice(-1)
      assert.equal(headerOf(text, 'x-request-id'), line?.request_id)
    }
    assert.equal(world.logs('request.denied').length, denied + 3)
  })

  test('a client that keeps its end of a refused tunnel open is let go', async (t) => {
    const socket = connect({ port: Number(world.url.port), host: '127.0.0.1', allowHalfOpen: true })
    t.after(() => socket.destroy())
    let gone = false
    socket.on('error', () => {
      gone = true
    })
    socket.write(rawRequest('CONNECT a:1 HTTP/1.1', [HOST]))
    await once(socket.resume(), 'end')
    while (!gone) {
      socket.write('x')
      await setImmediate()
    }
  })

  test('a client that resets its tunnel ends nothing but that', async (t) => {
    for (let count = 0; count < 20; count++) {
      const { socket, until } = rawClient(
        t,
        Number(world.url.port),
        rawRequest('CONNECT a:1 HTTP/1.1', [HOST]),
      )
      if (count % 2 === 0) await until((text) => text.includes('405'))
      socket.resetAndDestroy()
    }
    assert.deepEqual(statusesOf(await send(t, good('/next', 'Connection: close'))), [200])
    upstream.take()
  })

  test('a person sees a page that says so, in her language', async (t) => {
    const text = await send(
      t,
      rawRequest('GET //x HTTP/1.1', [HOST, 'Accept: text/html', 'Accept-Language: de']),
    )
    assert.match(headerOf(text, 'content-type') ?? '', /^text\/html/)
    assert.match(text, /<html lang="de"/)
  })

  test('what comes before it on the connection is answered', async (t) => {
    const text = await send(
      t,
      good('/first') + rawRequest('GET //x HTTP/1.1', [HOST]) + good('/third'),
    )
    assert.deepEqual(statusesOf(text), [200, 400])
    assert.deepEqual(
      upstream.take().map(({ target }) => target),
      ['/first'],
    )
  })
})

describe('a body that holds another request', () => {
  let upstream: CountingUpstream
  let world: World
  let cookie: string
  before(async () => {
    upstream = await startCountingUpstream()
    world = await startWorld({
      env: {
        STEPGATE_UPSTREAM: upstream.origin.origin,
        STEPGATE_RULES: 'twilio_sms /payroll; basic /**',
      },
    })
    const browser = createClient()
    await signIn(world, browser)
    cookie = cookieLine(browser, world.url)
    upstream.take()
  })
  after(async () => {
    await world.close()
    await upstream.close()
  })

  const SMUGGLED = rawRequest('GET /smuggled HTTP/1.1', [HOST, 'X-Forwarded-User: admin'])
  const chunked = (text: string, end = '\r\n') =>
    `${text.length.toString(16)};ext=1\r\n${text}\r\n0\r\n${end}`
  const last = () => rawRequest('GET /last HTTP/1.1', [HOST, cookie, 'Connection: close'])

  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
    for (const [framing, bytes] of [
      [`Content-Length: ${SMUGGLED.length}`, SMUGGLED],
      ['Transfer-Encoding: chunked', chunked(SMUGGLED)],
      ['transfer-encoding: Chunked', chunked(SMUGGLED, 'X-Forwarded-User: admin\r\n\r\n')],
    ] as const) {
      test(`stays the body of ${method} with ${framing}`, async (t) => {
        for (const expect of [[], ['Expect: 100-continue']]) {
          const headers = [HOST, cookie, framing, ...expect]
          const text = await sendRaw(
            t,
            world.url.port,
            rawRequest(`${method} /first HTTP/1.1`, headers, bytes) + last(),
          )
          // Two at once come over two connections, in any order.
          const arrived = upstream.take().toSorted((a, b) => (a.target < b.target ? -1 : 1))
          assert.deepEqual(
            arrived.map(({ target, body }) => [target, body]),
            [
              ['/first', SMUGGLED],
              ['/last', ''],
            ],
          )
          const final = statusesOf(text).filter((status) => status !== 100)
          assert.deepEqual(final, [200, 200])
          for (const one of arrived)
            assert.deepEqual(valuesUnder(one, 'x-forwarded-user'), ['alice'])
        }
      })
    }
  }

  test('stays a body when it is sent only after the client was told to go on', async (t) => {
    const headers = [HOST, cookie, `Content-Length: ${SMUGGLED.length}`, 'Expect: 100-continue']
    const client = rawClient(t, Number(world.url.port), rawRequest('PUT /first HTTP/1.1', headers))
    await client.until((text) => text.includes('100 Continue\r\n\r\n'))
    client.socket.write(SMUGGLED + last())
    assert.deepEqual(statusesOf((await client.ended).text), [100, 200, 200])
    const arrived = upstream.take().toSorted((a, b) => (a.target < b.target ? -1 : 1))
    assert.deepEqual(
      arrived.map(({ target, body }) => [target, body]),
      [
        ['/first', SMUGGLED],
        ['/last', ''],
      ],
    )
  })

  test('stays a body when something is expected that nobody knows', async (t) => {
    const headers = [HOST, cookie, `Content-Length: ${SMUGGLED.length}`, 'Expect: 200-ok']
    for (const [line, status] of [
      ['PUT /first HTTP/1.1', 200],
      ['PUT /payroll HTTP/1.1', 401],
    ] as const) {
      const text = await sendRaw(t, world.url.port, rawRequest(line, headers, SMUGGLED) + last())
      assert.deepEqual(statusesOf(text), [status, 200])
      const arrived = upstream.take().map(({ target }) => target)
      assert.deepEqual(arrived.toSorted(), status === 200 ? ['/first', '/last'] : ['/last'])
    }
  })

  test('is not read as one when the request is not let through', async (t) => {
    for (const [framing, bytes] of [
      [`Content-Length: ${SMUGGLED.length}`, SMUGGLED],
      ['Transfer-Encoding: chunked', chunked(SMUGGLED)],
    ] as const) {
      const text = await sendRaw(
        t,
        world.url.port,
        rawRequest('POST /payroll HTTP/1.1', [HOST, cookie, framing], bytes) + last(),
      )
      assert.deepEqual(statusesOf(text), [401, 200])
      assert.deepEqual(
        upstream.take().map(({ target }) => target),
        ['/last'],
      )
    }
  })

  test('is not read as one when it comes to a page of ours', async (t) => {
    for (const line of ['GET /_stepgate/session HTTP/1.1', 'TRACK /_stepgate/otp HTTP/1.1']) {
      const headers = [HOST, cookie, `Content-Length: ${SMUGGLED.length}`]
      const text = await sendRaw(t, world.url.port, rawRequest(line, headers, SMUGGLED) + last())
      assert.ok(!text.includes('smuggled'))
      assert.ok(upstream.take().every(({ target }) => target === '/last'))
    }
  })

  test('that is cut off is no request at all', async (t) => {
    const { socket, ended } = rawClient(
      t,
      Number(world.url.port),
      rawRequest('POST /first HTTP/1.1', [HOST, cookie, 'Content-Length: 1000'], SMUGGLED),
    )
    socket.end()
    await ended
    assert.deepEqual(upstream.take(), [])
  })
})

describe('another protocol', () => {
  let upstream: CountingUpstream
  let world: World
  let cookie: string
  let release = () => {}
  let held = Promise.withResolvers<void>()
  before(async () => {
    upstream = await startCountingUpstream((request, response) => {
      release = () => void response.end(YES)
      if (request.url === '/held') held.resolve()
      else release()
    })
    world = await startWorld({
      env: {
        STEPGATE_UPSTREAM: upstream.origin.origin,
        STEPGATE_RULES: 'twilio_sms /payroll; basic /**',
      },
    })
    const browser = createClient()
    await signIn(world, browser)
    cookie = cookieLine(browser, world.url)
    upstream.take()
  })
  after(async () => {
    await world.close()
    await upstream.close()
  })

  const UPGRADES = {
    h2c: ['Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAMAAABk'],
    'TLS/1.0': ['Upgrade: TLS/1.0', 'Connection: Upgrade'],
    'h2c and something else': ['Upgrade: h2c, foo/2', 'Upgrade: bar', 'Connection: Upgrade'],
    'h2c by POST': ['Upgrade: h2c', 'Connection: upgrade', 'Content-Length: 0'],
  }
  for (const [name, upgrade] of Object.entries(UPGRADES)) {
    const method = name.endsWith('POST') ? 'POST' : 'GET'
    test(`${name} goes the ordinary way, and its connection ends`, async (t) => {
      const send = (path: string, headers: readonly string[]) =>
        sendRaw(
          t,
          world.url.port,
          rawRequest(`${method} ${path} HTTP/1.1`, [HOST, ...headers, ...upgrade]) +
            rawRequest('GET /last HTTP/1.1', [HOST, cookie]),
        )
      assert.deepEqual(statusesOf(await send('/x', [])), [401])
      assert.deepEqual(statusesOf(await send('/payroll', [cookie])), [401])
      assert.deepEqual(upstream.take(), [])

      const text = await send('/x', [cookie])
      assert.deepEqual(statusesOf(text), [200])
      assert.equal(headerOf(text, 'connection'), 'close')
      const [one, ...more] = upstream.take()
      assert.deepEqual([one?.target, more], ['/x', []])
      assert.doesNotMatch(
        one?.rawHeaders.join('\n') ?? '',
        /upgrade|http2-settings|h2c|TLS|foo|bar/i,
      )
    })

    test(`a request behind ${name} is not read from its middle`, async (t) => {
      const smuggled = rawRequest('GET /smuggled HTTP/1.1', [HOST, cookie])
      const second = [HOST, cookie, `Content-Length: ${smuggled.length}`]
      const { socket, until, ended } = rawClient(
        t,
        Number(world.url.port),
        rawRequest(`${method} /held HTTP/1.1`, [HOST, cookie, ...upgrade]) +
          rawRequest('POST /second HTTP/1.1', second),
      )
      await held.promise
      held = Promise.withResolvers()
      socket.write(smuggled)
      // The server answers it on another connection, so it has read the first one by then.
      await sendRaw(t, world.url.port, rawRequest('GET /x HTTP/1.1', [HOST, 'Connection: close']))
      release()
      await until((text) => text.includes(YES))
      assert.deepEqual(statusesOf((await ended).text), [200])
      assert.deepEqual(
        upstream.take().map(({ target }) => target),
        ['/held'],
      )
    })
  }

  test('HTTP/2 by prior knowledge gets no answer but a refusal', async (t) => {
    const text = await sendRaw(t, world.url.port, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    assert.deepEqual(statusesOf(text), [400])
  })

  test('TLS on the plain port ends its connection and nothing else', async (t) => {
    await sendRaw(t, world.url.port, '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03')
    const text = await sendRaw(
      t,
      world.url.port,
      rawRequest('GET /x HTTP/1.1', [HOST, cookie, 'Connection: close']),
    )
    assert.deepEqual(statusesOf(text), [200])
    upstream.take()
  })

  test('HTTP/1.0 may keep its connection, and says so', async (t) => {
    const keep = rawRequest('GET /a HTTP/1.0', [HOST, cookie, 'Connection: keep-alive'])
    const text = await sendRaw(
      t,
      world.url.port,
      keep + rawRequest('GET /b HTTP/1.0', [HOST, cookie]),
    )
    assert.deepEqual(
      upstream.take().map(({ target }) => target),
      ['/a', '/b'],
    )
    assert.equal(headerOf(text, 'connection'), 'keep-alive')
    assert.match(text, new RegExp(`${YES}[\\s\\S]*${YES}$`))
  })
})
