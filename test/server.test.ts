import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, type TestContext, test } from 'node:test'
import { type CountingUpstream, startCountingUpstream, YES } from './support/counting-upstream.ts'
import { type Door, openDoor } from './support/door.ts'
import { headerOf, rawRequest, sendRaw, statusesOf } from './support/raw-exchange.ts'
import { rawClient } from './upstream/sockets.ts'

const HOST = 'Host: app.example.com'
const CLOSE = 'Connection: close'
const PAGE = ['Sec-Fetch-Mode: navigate', 'Accept: text/html']

describe('the front door', () => {
  let upstream: CountingUpstream
  let door: Door
  let hold: { asked: PromiseWithResolvers<void>; release: () => void }
  beforeEach(async () => {
    hold = { asked: Promise.withResolvers(), release: () => {} }
    upstream = await startCountingUpstream((request, response) => {
      hold.release = () => void response.end(YES)
      if (request.url === '/held') hold.asked.resolve()
      else hold.release()
    })
    door = await openDoor({
      env: {
        STEPGATE_UPSTREAM: upstream.origin.origin,
        STEPGATE_RULES: 'public /public /held; deny /denied',
      },
    })
  })
  afterEach(async () => {
    await door.close()
    await upstream.close()
  })

  const get = (path: string, ...headers: readonly string[]) =>
    rawRequest(`GET ${path} HTTP/1.1`, [HOST, ...headers])
  const send = (t: TestContext, bytes: string) => sendRaw(t, door.port, bytes)

  test('gives every answer of its own the id that the log has, and one that is new', async (t) => {
    const paths = [
      '/denied',
      '/secret',
      '/_stepgate/healthz',
      '/_stepgate/nothing',
      '/_stepgate/otp',
      '//',
    ]
    const seen = new Set<string>()
    for (const path of paths) {
      for (const headers of [[], PAGE]) {
        const text = await send(t, get(path, CLOSE, 'X-Request-Id: mine', ...headers))
        const id = headerOf(text, 'x-request-id') ?? ''
        assert.match(id, /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/)
        await logged(door, id)
        seen.add(id)
      }
    }
    assert.equal(seen.size, paths.length * 2)
  })

  test('writes one line for each request, without its query', async (t) => {
    await send(t, get('/public?secret=canary', CLOSE))
    const line = await logged(door, undefined)
    const { time, request_id: id, duration_ms: duration, upstream_ms: waited, ...rest } = line
    assert.ok(Number.isFinite(Date.parse(String(time))))
    assert.match(String(id), /^[\da-f-]{36}$/)
    assert.ok(Number(waited) > 0 && Number(duration) >= Number(waited))
    assert.deepEqual(rest, {
      level: 'info',
      event: 'request',
      client: '127.0.0.1',
      method: 'GET',
      path: '/public',
      decision: 'forward',
      status: 200,
      complete: true,
      bytes_in: 0,
      bytes_out: YES.length,
      upstream: upstream.origin.origin,
    })
    for (const path of [
      '/denied',
      '/x',
      '/_stepgate/session',
      '/_stepgate/callback',
      '//',
      '/%zz',
    ]) {
      for (const headers of [[], PAGE])
        await send(t, get(`${path}?secret=canary`, CLOSE, ...headers))
    }
    await send(t, rawRequest('GET http://app.example.com/x?secret=canary HTTP/1.1', [HOST]))
    assert.ok(door.lines().length > 12)
    assert.ok(!door.lines().some((text) => text.includes('canary')))
  })

  test('says what was decided, and how many bytes of content came and went', async (t) => {
    const upload = rawRequest(
      'POST /public HTTP/1.1',
      [HOST, CLOSE, 'Transfer-Encoding: chunked'],
      '3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n',
    )
    for (const [bytes, decision, bytesIn] of [
      [upload, 'forward', 7],
      [get('/secret', CLOSE), 'sign-in', 0],
      [get('/denied', CLOSE), 'deny', 0],
      [get('/denied', CLOSE, ...PAGE), 'deny', 0],
      [get('/_stepgate/healthz', CLOSE), 'own', 0],
      [get('/_stepgate/signed-out', CLOSE), 'own', 0],
      [get('//', CLOSE), 'refused', 0],
    ] as const) {
      const text = await send(t, bytes)
      const body = text.slice(text.indexOf('\r\n\r\n') + 4)
      const line = await logged(door, headerOf(text, 'x-request-id'))
      assert.equal(line.decision, decision)
      assert.deepEqual(
        [line.bytes_in, line.bytes_out],
        [bytesIn, Buffer.byteLength(body, 'latin1')],
      )
      assert.equal(line.upstream_ms === undefined, decision !== 'forward')
    }
  })

  test('counts no content of an answer to HEAD', async (t) => {
    for (const path of ['/public', '/denied', '/_stepgate/healthz']) {
      const text = await send(t, rawRequest(`HEAD ${path} HTTP/1.1`, [HOST, CLOSE]))
      const line = await logged(door, headerOf(text, 'x-request-id'))
      assert.equal(line.bytes_out, 0, path)
    }
  })

  test('says of a client that left that the answer was not complete', async (t) => {
    const { socket } = rawClient(t, door.port, get('/held'))
    await hold.asked.promise
    socket.destroy()
    const line = await logged(door, undefined)
    assert.deepEqual([line.path, line.complete, line.status], ['/held', false, undefined])
  })

  test('writes one line with one event, whatever a request holds', async (t) => {
    const forged = '\\n{"event":"otp.verified","subject":"admin"}'
    const before = door.lines().length
    for (const bytes of [
      get(`/public/${forged}`, CLOSE),
      get('/%0a%7B%22event%22:%22otp.verified%22%7D', CLOSE),
      get('/x\x85{"event":"otp.verified"}', CLOSE),
      get('/","event":"otp.verified","x":"', CLOSE),
      get('/public', CLOSE, `User-Agent: ${forged}`, `X-Forwarded-For: ${forged}`),
      rawRequest('GET /x HTTP/1.1', [`Host: ${forged}`]),
    ]) {
      await send(t, bytes)
    }
    const cookie = await door.cookieOf({
      subject: 'a\n{"event":"otp.verified"}\r',
      username: 'b\nc',
    })
    await send(t, get('/secret', CLOSE, cookie))
    await send(t, get('/denied', CLOSE, cookie))
    const lines = door.lines().slice(before)
    assert.ok(lines.length >= 8)
    for (const line of lines) {
      assert.match(line, /^\{[^\n\r]*\}\n$/)
      assert.doesNotMatch(String(JSON.parse(line).event), /otp/)
    }
  })

  test('answers what is no HTTP by 400 and ends the connection', async (t) => {
    for (const bytes of [
      'rubbish\r\n\r\n',
      '\x16\x03\x01\x02\x00',
      'GET /x\tHTTP/1.1\r\n\r\n',
      '{}\r\n\r\n',
    ]) {
      const text = await send(t, bytes)
      assert.match(text, /^HTTP\/1\.1 400 Bad Request\r\nConnection: close\r\n\r\n$/)
    }
    assert.deepEqual(statusesOf(await send(t, get('/public', CLOSE))), [200])
  })

  test('does not mind connections that come and go in any way', async (t) => {
    for (let count = 0; count < 30; count++) {
      const socket = connect(door.port, '127.0.0.1')
      socket.on('error', () => {})
      await once(socket, 'connect')
      if (count % 3 === 0) socket.write('GET /pub')
      if (count % 3 === 1) socket.write(get('/public').repeat(20))
      if (count % 2 === 0) socket.resetAndDestroy()
      else socket.destroy()
    }
    assert.deepEqual(statusesOf(await send(t, get('/public', CLOSE))), [200])
  })

  test('answers a host that is no host anywhere, on its own paths too', async (t) => {
    for (const host of [
      '999.1.1.1',
      '1.2.3.4.5',
      '0x7f.1',
      'xn--a',
      'a..b',
      '127.1',
      'A_b.example.',
    ]) {
      const request = rawRequest('GET /_stepgate/session HTTP/1.1', [`Host: ${host}`, CLOSE])
      const [status] = statusesOf(await send(t, request))
      assert.ok(status === 400 || status === 401, `${host} ${status}`)
    }
  })

  test('names the methods of a path of its own', async (t) => {
    for (const [line, allow] of [
      ['PUT /_stepgate/otp', 'GET, HEAD, POST'],
      ['POST /_stepgate/healthz', 'GET, HEAD'],
      ['GET /_stepgate/otp/resend', 'POST'],
    ] as const) {
      const json = await send(t, rawRequest(`${line} HTTP/1.1`, [HOST, CLOSE, 'Content-Length: 0']))
      assert.deepEqual(statusesOf(json), [405])
      assert.equal(headerOf(json, 'allow'), allow)
      assert.equal(JSON.parse(json.split('\r\n\r\n')[1] ?? '').error, 'method_not_allowed')
      const page = await send(t, rawRequest(`${line} HTTP/1.1`, [HOST, CLOSE, ...PAGE]))
      assert.match(headerOf(page, 'content-type') ?? '', /^text\/html/)
    }
  })

  test('ends gently: what is in flight is answered, idle connections close, new ones are refused', async (t) => {
    const idle = rawClient(t, door.port, get('/public'))
    await idle.until((text) => text.includes(YES))
    const busy = rawClient(t, door.port, get('/held'))
    await hold.asked.promise

    const closed = door.close()
    await idle.ended
    const refused = connect(door.port, '127.0.0.1')
    const [error] = await once(refused, 'error')
    assert.equal(error.code, 'ECONNREFUSED')
    hold.release()
    const { text } = await busy.ended
    assert.match(text, new RegExp(`Connection: close[\\s\\S]*${YES}$`))
    await closed
    door = await openDoor()
  })
})

/** The access line of a request, or the first one, once it is written. */
async function logged(door: Door, id: string | undefined) {
  const find = () => door.logs('request').find((line) => id === undefined || line.request_id === id)
  while (find() === undefined) await new Promise((resolve) => setImmediate(resolve))
  return find() ?? assert.fail()
}

test('an access log that is off writes nothing, and events go on', async (t) => {
  const door = await openDoor({ env: { STEPGATE_ACCESS_LOG: 'off', STEPGATE_RULES: 'deny /**' } })
  t.after(() => door.close())
  await sendRaw(t, door.port, rawRequest('GET /x HTTP/1.1', [HOST, CLOSE]))
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(door.logs('request'), [])
  assert.equal(door.logs('request.denied').length, 1)
})

test('a taken port is told at the start', async (t) => {
  const door = await openDoor()
  t.after(() => door.close())
  const listen = { kind: 'tcp', host: '127.0.0.1', port: door.port } as const
  await assert.rejects(openDoor({ listen }), { code: 'EADDRINUSE' })
})

test('an access line holds no more of a path than lets it go through a pipe in one piece', async (t) => {
  const door = await openDoor()
  t.after(() => door.close())
  await sendRaw(t, door.port, rawRequest(`GET /${'x'.repeat(9000)} HTTP/1.1`, [HOST, CLOSE]))
  const { path } = await logged(door, undefined)
  assert.equal(path, `/${'x'.repeat(1499)}`)
})
