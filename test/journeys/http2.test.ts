import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { constants } from 'node:http2'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { valuesUnder, YES } from '../support/counting-upstream.ts'
import type { DoorOptions } from '../support/door.ts'
import { answerOf, ask, connectHttp2 } from '../support/http2-client.ts'
import { connectFrames, END_HEADERS, FRAME, frame, requestFields } from '../support/http2-frames.ts'
import { rawRequest, statusesOf } from '../support/raw-exchange.ts'
import { openTlsDoor } from '../support/tls-door.ts'
import { until } from '../support/until.ts'

const PAGE = { accept: 'text/html', 'sec-fetch-mode': 'navigate' }

// From the beginning: of most things Node warns once.
const warnings: string[] = []
process.on('warning', ({ message }) => warnings.push(message))

type Answer = Parameters<typeof openTlsDoor>[2]

async function open(t: TestContext, options: DoorOptions = {}, answer?: Answer) {
  const opened = await openTlsDoor(t, options, answer)
  return { ...opened, session: await connectHttp2(t, opened.door.port) }
}

test('the gate, the application and the own pages answer as over HTTP/1.1', async (t) => {
  const { door, upstream, session } = await open(t)
  const open1 = await ask(session, { ':path': '/public/x?q=1' })
  assert.deepEqual([open1.status, open1.body], [200, YES])
  const [arrived] = upstream.take()
  assert.ok(arrived)
  assert.deepEqual([arrived.method, arrived.target], ['GET', '/public/x?q=1'])
  assert.deepEqual(valuesUnder(arrived, 'host'), ['app.example.com'])
  assert.deepEqual(valuesUnder(arrived, 'x-forwarded-proto'), ['https'])
  assert.deepEqual(valuesUnder(arrived, 'x-forwarded-host'), ['app.example.com'])
  assert.deepEqual(valuesUnder(arrived, 'x-forwarded-for'), ['127.0.0.1'])
  assert.ok(!arrived.rawHeaders.some((name) => name.startsWith(':')))

  const away = await ask(session, { ':path': '/x', ...PAGE })
  assert.equal(away.status, 302)
  assert.match(String(away.headers.location), /^https:\/\/login\.example\.com\//)
  const data = await ask(session, { ':path': '/x' })
  assert.deepEqual([data.status, JSON.parse(data.body).error], [401, 'sign_in_required'])
  const health = await ask(session, { ':path': '/_stepgate/healthz' })
  assert.deepEqual([health.status, JSON.parse(health.body).status], [200, 'ok'])
  const head = await ask(session, { ':path': '/public/x', ':method': 'HEAD' })
  assert.deepEqual([head.status, head.body, head.reset], [200, '', 0])
  const style = await ask(session, { ':path': '/_stepgate/assets/stepgate.css' })
  assert.match(String(style.headers['content-type']), /css/)
  const nothing = await ask(session, { ':path': '/_stepgate/nothing', ...PAGE })
  assert.equal(nothing.status, 404)
  assert.ok(nothing.body.includes(String(nothing.headers['x-request-id'])))
  const denied = await ask(session, { ':path': '/read-only', ':method': 'POST' }, 'x=1')
  assert.equal(denied.status, 403)

  const lines = () => door.logs('request')
  await until(async () => lines().length === 8)
  assert.ok(lines().every(({ complete, client }) => complete && client === '127.0.0.1'))
})

test('a session is known by a cookie that comes in several fields, and ours does not go on', async (t) => {
  const { door, upstream, session } = await open(t)
  const pair = (await door.cookieOf()).replace('Cookie: ', '')
  const seen = await ask(session, { ':path': '/x', cookie: ['a=1', pair, 'b=2'] })
  assert.equal(seen.status, 200)
  const [arrived] = upstream.take()
  assert.ok(arrived)
  assert.deepEqual(valuesUnder(arrived, 'cookie'), ['a=1; b=2'])
  assert.deepEqual(valuesUnder(arrived, 'x-forwarded-user'), ['alice'])

  const two = await ask(session, { ':path': '/x', cookie: [pair, `${pair}x`] })
  assert.equal(two.status, 401)
  door.turnClock(30 * 60_000)
  const touched = await ask(session, { ':path': '/x', cookie: [pair] })
  assert.match(touched.headers['set-cookie']?.[0] ?? '', /^__Host-stepgate=/)
  const who = await ask(session, { ':path': '/_stepgate/session', cookie: ['a=1', pair] })
  assert.equal(JSON.parse(who.body).preferred_username, 'alice')
})

test('a form of ours is read, and one of another site refused', async (t) => {
  const { door, session } = await open(t)
  const pair = (await door.cookieOf()).replace('Cookie: ', '')
  const form = {
    ':path': '/_stepgate/sign-out',
    ':method': 'POST',
    'content-type': 'application/x-www-form-urlencoded',
    cookie: [pair],
  }
  const evil = await ask(session, { ...form, origin: 'https://evil.example' }, 'x=1')
  assert.equal(evil.status, 403)
  const big = await ask(session, { ...form, origin: 'https://app.example.com' }, 'x'.repeat(20_000))
  assert.equal(big.status, 413)
  const ours = await ask(session, { ...form, origin: 'https://app.example.com' }, 'x=1')
  assert.equal(ours.status, 303)
})

test('bodies of any framing arrive whole', async (t) => {
  const { upstream, session } = await open(t)
  const post = { ':path': '/public/x', ':method': 'POST' }
  await ask(session, post, 'without a length')
  await ask(session, { ...post, 'content-length': 5 }, 'hello')
  await ask(session, { ...post, 'content-length': 0 }, '')
  await ask(session, post)
  await ask(session, { ...post, 'x-large': '1' }, 'x'.repeat(5_000_000))
  const arrived = upstream.take()
  assert.deepEqual(
    arrived.map(({ body }) => body.length),
    [16, 5, 0, 0, 5_000_000],
  )
  const [chunked, sized] = arrived
  assert.ok(chunked && sized)
  assert.deepEqual(valuesUnder(chunked, 'transfer-encoding'), ['chunked'])
  assert.deepEqual(valuesUnder(sized, 'content-length'), ['5'])
})

test('an upload that is taken back never reaches the application as a whole one', async (t) => {
  for (const code of [constants.NGHTTP2_CANCEL, constants.NGHTTP2_NO_ERROR]) {
    const began = Promise.withResolvers<void>()
    const broken = Promise.withResolvers<boolean>()
    const { door } = await openReading(t, began.resolve, broken.resolve)
    const client = await connectFrames(t, door.port)
    const head = requestFields({ ':method': 'POST' })
    client.send(
      frame(FRAME.HEADERS, END_HEADERS, 1, head),
      frame(FRAME.DATA, 0, 1, Buffer.from('first half')),
    )
    await began.promise
    client.send(frame(FRAME.RST_STREAM, 0, 1, Buffer.from([0, 0, 0, code])))
    assert.equal(await broken.promise, true, `code ${code}`)
    await until(async () => door.logs('request').length === 1)
    assert.equal(door.logs('request')[0]?.complete, false)
  }
})

/** A door before an application that says whether a body broke off. */
async function openReading(t: TestContext, began: () => void, ended: (broken: boolean) => void) {
  const { createServer } = await import('node:http')
  const server = createServer((request) => {
    request.once('data', began)
    request.on('end', () => ended(false))
    request.on('error', () => ended(true))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.closeAllConnections())
  t.after(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  return open(t, { env: { STEPGATE_UPSTREAM: `http://127.0.0.1:${port}` } })
}

test('a response that the application breaks off is broken off, and the connection goes on', async (t) => {
  const { door, session } = await open(t, {}, ({ url }, response) => {
    if (url !== '/public/broken') return void response.end(YES)
    response.writeHead(200, { 'content-type': 'text/plain' })
    response.write('half', () => response.socket?.destroy())
  })
  const answer = await ask(session, { ':path': '/public/broken' })
  assert.equal(answer.status, 200)
  assert.equal(answer.reset, constants.NGHTTP2_INTERNAL_ERROR)
  assert.equal((await ask(session, { ':path': '/public/x' })).body, YES)
  await until(async () => door.logs('request').length === 2)
  assert.deepEqual(
    door.logs('request').map(({ complete }) => complete),
    [false, true],
  )
})

test('early hints come through, and headers of the connection do not', async (t) => {
  const { session } = await open(t, {}, (_, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' })
    response.writeHead(
      203,
      'A reason',
      ['Connection', 'keep-alive, x-hop', 'Keep-Alive', 'timeout=5', 'X-Hop', '1'].concat([
        ...['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'ETag', '"1"', 'ETag', '"2"'],
        ...['HTTP2-Settings', 'x', 'X-Latin', 'caf\xe9'],
      ]),
    )
    response.end('x')
  })
  const answer = await ask(session, { ':path': '/public/x' })
  assert.equal(answer.status, 203)
  assert.deepEqual(
    answer.hints.map((fields) => fields[':status']),
    [103],
  )
  assert.match(String(answer.hints[0]?.link), /style\.css/)
  assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2'])
  assert.equal(answer.headers['x-latin'], 'caf\xe9')
  for (const name of ['connection', 'keep-alive', 'x-hop', 'http2-settings', 'transfer-encoding']) {
    assert.equal(answer.headers[name], undefined, name)
  }
  const refused = await ask(session, { ':path': '//x' })
  assert.deepEqual([refused.status, refused.headers.connection], [400, undefined])
  await new Promise((resolve) => setImmediate(resolve))
  // Node would warn of headers and reasons that HTTP/2 has not.
  assert.deepEqual(warnings, [])
})

test('a response begins before it has content, and each piece comes when it is sent', async (t) => {
  const asked = Promise.withResolvers<ServerResponse>()
  const { session } = await open(t, {}, (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    asked.resolve(response)
  })
  const stream = session.request({ ':authority': 'app.example.com', ':path': '/public/x' })
  const [head] = await once(stream, 'response')
  assert.equal(head['content-type'], 'text/event-stream')
  const response = await asked.promise
  for (const piece of ['data: 1\n\n', 'data: 2\n\n']) {
    response.write(piece)
    const [come] = await once(stream, 'data')
    assert.equal(String(come), piece)
  }
  response.end()
  await once(stream, 'end')
})

test('a slow reader slows the application down, and gets all of it', async (t) => {
  const size = 40_000_000
  let written = 0
  const { session } = await open(t, {}, async (_, response) => {
    const piece = Buffer.alloc(100_000, 'x')
    for (; written < size; written += piece.length) {
      if (!response.write(piece)) await once(response, 'drain')
    }
    response.end()
  })
  const stream = session.request({ ':authority': 'app.example.com', ':path': '/public/x' })
  await once(stream, 'response')
  let before = -1
  // Until nothing moves any more.
  await until(async () => {
    const stands = written === before
    before = written
    return stands
  })
  assert.ok(written < size, String(written))
  let read = 0
  for await (const piece of stream) read += piece.length
  assert.equal(read, size)
})

test('a browser that leaves ends the exchange with the application', async (t) => {
  const asked = Promise.withResolvers<ServerResponse>()
  const { session } = await open(t, {}, (_, response) => asked.resolve(response))
  const stream = session.request({ ':authority': 'app.example.com', ':path': '/public/x' })
  stream.on('error', () => {})
  const response = await asked.promise
  const gone = once(response, 'close')
  stream.close(constants.NGHTTP2_CANCEL)
  await gone
})

test('who offers no HTTP/2, or only HTTP/1.1, is served over HTTP/1.1', async (t) => {
  const { door } = await openTlsDoor(t)
  for (const protocols of [undefined, ['http/1.1'], ['http/1.1', 'h2']]) {
    const socket = connectTls({
      port: door.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ...(protocols && { ALPNProtocols: protocols }),
    })
    await once(socket, 'secureConnect')
    // The server's order counts.
    const expected = protocols?.includes('h2') ? 'h2' : protocols ? 'http/1.1' : false
    assert.equal(socket.alpnProtocol, expected)
    if (expected === 'h2') {
      socket.destroy()
      continue
    }
    socket.write(
      rawRequest('GET /public/x HTTP/1.1', ['Host: app.example.com', 'Connection: close']),
    )
    assert.deepEqual(statusesOf((await socket.setEncoding('latin1').toArray()).join('')), [200])
  }
})

test('HTTP/2 can be turned off', async (t) => {
  const { door } = await openTlsDoor(t, { env: { STEPGATE_HTTP2: 'off' } })
  const socket = connectTls({
    port: door.port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ALPNProtocols: ['h2', 'http/1.1'],
  })
  t.after(() => socket.destroy())
  await once(socket, 'secureConnect')
  assert.equal(socket.alpnProtocol, 'http/1.1')
})

test('a stop lets what is under way end, on one connection and on several, and says so', async (t) => {
  const responses: ServerResponse[] = []
  const { door, session } = await open(t, {}, ({ url }, response) => {
    if (url === '/public/held') responses.push(response)
    else response.end(YES)
  })
  const idle = await connectHttp2(t, door.port)
  await ask(idle, { ':path': '/public/x' })
  const held = [1, 2].map(() => ask(session, { ':path': '/public/held' }))
  await until(async () => responses.length === 2)
  const ends = Promise.all([once(idle, 'close'), once(session, 'goaway')])
  const closed = door.close()
  await ends
  const late = session.request({ ':authority': 'app.example.com', ':path': '/public/x' })
  const refused = await answerOf(late).catch(() => undefined)
  assert.notEqual(refused?.status, 200)
  const large = 'x'.repeat(3_000_000)
  for (const response of responses) response.end(large)
  for (const answer of await Promise.all(held)) {
    assert.deepEqual([answer.status, answer.body.length], [200, large.length])
  }
  await closed
})
