import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { request, startFront } from './front.ts'
import { listen, type RawConnection, rawApplication, rawClient } from './sockets.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'

async function application(
  t: TestContext,
  listener: (incoming: IncomingMessage, response: ServerResponse) => void,
) {
  const server = createServer(listener)
  let connections = 0
  server.on('connection', () => connections++)
  const port = await listen(t, server)
  return { origin: new URL(`http://127.0.0.1:${port}`), count: () => connections, server }
}

/** A raw application that hands out its next connection once the connection has said something. */
async function waitingApplication(t: TestContext) {
  const first = Promise.withResolvers<RawConnection>()
  const { origin, connections } = await rawApplication(t, (one) => first.resolve(one))
  const until = async (pattern: RegExp) => {
    const connection = await first.promise
    while (!pattern.test(connection.received)) await once(connection.socket, 'data')
    return connection
  }
  return { origin, connections, until }
}

test('each event of a stream arrives before the next one is sent', async (t) => {
  const { origin, until } = await waitingApplication(t)
  const front = await startFront(t, origin)
  const client = rawClient(t, front.port, request('GET /events'))
  const { socket } = await until(/\r\n\r\n/)
  socket.write(`${CHUNKED.replace('\r\n\r\n', '\r\nContent-Type: text/event-stream\r\n\r\n')}`)
  await client.until((text) => text.endsWith('\r\n\r\n'))
  for (let count = 0; count < 20; count++) {
    const event = `data: ${count}\n\n`
    socket.write(`${event.length.toString(16)}\r\n${event}\r\n`)
    await client.until((text) => text.includes(event))
  }
})

test('what the application sends is on its way to the client in the same turn of the event loop', async (t) => {
  const { origin, until } = await waitingApplication(t)
  const front = await startFront(t, origin)
  let browser: Socket | undefined
  front.server.on('connection', (socket: Socket) => {
    browser = socket
  })
  const client = rawClient(t, front.port, request('GET /events'))
  const { socket } = await until(/\r\n\r\n/)
  socket.write(CHUNKED)
  await client.until((text) => text.endsWith('\r\n\r\n'))
  const seen = Promise.withResolvers<{ sent: number; waiting: number }>()
  const onChunk = () => {
    const before = browser?.bytesWritten ?? 0
    // Still in this turn, before any other connection is looked at.
    setImmediate(() => {
      const sent = (browser?.bytesWritten ?? 0) - before
      seen.resolve({ sent, waiting: browser?.writableLength ?? 0 })
    })
  }
  subscribe('undici:request:bodyChunkReceived', onChunk)
  t.after(() => unsubscribe('undici:request:bodyChunkReceived', onChunk))
  socket.write('5\r\nevent\r\n')
  const { sent, waiting } = await seen.promise
  assert.ok(sent >= 'event'.length, `${sent} bytes`)
  assert.equal(waiting, 0)
})

test('a long poll waits in silence for its answer', async (t) => {
  const { origin, until } = await waitingApplication(t)
  // Only the beginning of the response has a limit, and that only far away.
  const front = await startFront(t, origin, { bodyTimeout: 0 })
  const client = rawClient(t, front.port, request('GET /poll'))
  const { socket } = await until(/\r\n\r\n/)
  for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate)
  assert.equal(client.received(), '')
  socket.write(OK)
  assert.match((await client.ended).text, /ok$/)
})

test('an upload in chunks and its answer go both ways at once, head first', async (t) => {
  const { origin, until, connections } = await waitingApplication(t)
  const front = await startFront(t, origin)
  const client = rawClient(t, front.port, request('POST /talk', 'Transfer-Encoding: chunked'))
  // Not a byte of the body is there yet.
  const { socket, received } = await until(/\r\n\r\n$/)
  assert.match(received, /^POST \/talk HTTP\/1.1\r\n[\s\S]*\r\nTransfer-Encoding: chunked\r\n/)
  socket.write(CHUNKED)
  await client.until((text) => text.endsWith('\r\n\r\n'))
  for (let count = 0; count < 10; count++) {
    client.socket.write(`2\r\n${count}?\r\n`)
    await until(new RegExp(`\r\n${count}\\?\r\n`))
    socket.write(`2\r\n${count}!\r\n`)
    await client.until((text) => text.includes(`${count}!`))
  }
  client.socket.write('0\r\n\r\n')
  await until(/\r\n0\r\n\r\n$/)
  socket.end('0\r\n\r\n')
  assert.match((await client.ended).text, /\r\n0\r\n\r\n$/)
  assert.equal(connections.length, 1)
  assert.deepEqual(await front.outcome(), { kind: 'answered', status: 200 })
})

test('connections are kept alive on both sides, whatever is asked', async (t) => {
  const { origin, count } = await application(t, (incoming, response) => {
    incoming.resume().on('end', () => response.end(incoming.method))
  })
  const front = await startFront(t, origin, { connections: 1 })
  const head = (line: string, more = '') => `${line} HTTP/1.1\r\nHost: a\r\n${more}\r\n`
  const post = `${head('POST /b', 'Content-Length: 4\r\n')}body`
  const sent = head('GET /a') + post + head('PUT /c', 'Content-Length: 0\r\n') + request('GET /d')
  const { text } = await rawClient(t, front.port, sent).ended
  assert.deepEqual(text.match(/(?<=\r\n\r\n)(GET|POST|PUT)/g), ['GET', 'POST', 'PUT', 'GET'])
  assert.equal(count(), 1)
})

test('a part of a page, and content that is compressed, arrive as they are', async (t) => {
  const page = gzipSync('page '.repeat(1000))
  const seen: unknown[] = []
  const { origin } = await application(t, ({ headers }, response) => {
    seen.push(headers.range, headers['if-range'], headers['accept-encoding'])
    const part = page.subarray(2, 12)
    response.writeHead(206, {
      'Content-Range': `bytes 2-11/${page.length}`,
      'Content-Encoding': 'gzip',
      'Accept-Ranges': 'bytes',
      ETag: '"1"',
      'Content-Length': 10,
    })
    response.end(part)
  })
  const front = await startFront(t, origin)
  const asked = ['Range: bytes=2-11', 'If-Range: "1"', 'Accept-Encoding: br, gzip']
  const { text } = await rawClient(t, front.port, request('GET /', ...asked)).ended
  const [head = '', body = ''] = text.split('\r\n\r\n')
  assert.match(head, /^HTTP\/1.1 206 /)
  for (const line of [`Content-Range: bytes 2-11/${page.length}`, 'Content-Encoding: gzip']) {
    assert.ok(head.includes(`\r\n${line}`), head)
  }
  assert.deepEqual(Buffer.from(body, 'latin1'), page.subarray(2, 12))
  assert.deepEqual(seen, ['bytes=2-11', '"1"', 'br, gzip'])
})

test('early hints arrive before the response, several in one header too, also to an upload', async (t) => {
  for (const sent of [request('GET /'), request('POST /', 'Transfer-Encoding: chunked')]) {
    const { origin, until } = await waitingApplication(t)
    const front = await startFront(t, origin)
    const client = rawClient(t, front.port, sent)
    const { socket } = await until(/\r\n\r\n/)
    const links = '</a,b.css>; rel=preload; as=style, </c.js>; rel=modulepreload'
    socket.write(`HTTP/1.1 103 Early Hints\r\nLink: ${links}\r\n\r\n`)
    const expected = `HTTP/1.1 103 Early Hints\r\nLink: ${links}\r\n\r\n`
    await client.until((text) => text === expected)
    if (sent.startsWith('POST')) client.socket.write('0\r\n\r\n')
    socket.write(OK)
    assert.match((await client.ended).text, /HTTP\/1.1 200 OK\r\n[\s\S]*ok$/)
  }
})
