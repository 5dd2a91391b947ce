import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { freePort } from '../support/free-port.ts'
import { request, startFront } from './front.ts'
import { listen, type RawConnection, rawApplication, rawClient } from './sockets.ts'

const GO_ON = 'HTTP/1.1 100 Continue\r\n\r\n'
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\nX-Forwarded-User: admin\r\n\r\n'
const EXPECT = 'Expect: 100-continue'
const FRAMINGS = [
  [`Content-Length: ${SMUGGLED.length}`, SMUGGLED],
  ['Transfer-Encoding: chunked', `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`],
] as const

/** An application of which a test is the hands: it hears when something has come. */
async function byHand(t: TestContext) {
  const heard = new EventTarget()
  const { origin, connections } = await rawApplication(t, () => heard.dispatchEvent(new Event('x')))
  const until = async (index: number, pattern: RegExp): Promise<RawConnection> => {
    while (!pattern.test(connections[index]?.received ?? '')) await once(heard, 'x')
    return connections[index] as RawConnection
  }
  return { origin, connections, until }
}

const head = (...headers: readonly string[]) =>
  ['POST /up HTTP/1.1', 'Host: a', EXPECT, ...headers, '', ''].join('\r\n')

for (const [framing, body] of FRAMINGS) {
  test(`a client that waits is told to go on when the application says so (${framing})`, async (t) => {
    const { origin, until, connections } = await byHand(t)
    const front = await startFront(t, origin)
    const client = rawClient(t, front.port, head(framing))
    const { socket, received } = await until(0, /\r\n\r\n/)
    assert.match(received, /\r\nExpect: 100-continue\r\n/)
    assert.ok(received.includes(`\r\n${framing}\r\n`), received)
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
    assert.equal(client.received(), '')
    socket.write(GO_ON)
    await client.until((text) => text === GO_ON)
    client.socket.write(body)
    await until(0, new RegExp(`${SMUGGLED.slice(0, 13)}[\\s\\S]*\r\n\r\n`))
    socket.write(OK)
    await client.until((text) => text.endsWith('ok'))
    // Both connections are where they should be.
    client.socket.write(request('GET /next'))
    const next = await until(1, /^GET \/next .*\r\n[\s\S]*\r\n\r\n$/)
    next.socket.write(OK)
    assert.equal((await client.ended).text.match(/HTTP\/1.1 100/g)?.length, 1)
    assert.equal(connections.length, 2)
  })

  test(`what the application answers instead arrives, and what comes then is no request (${framing})`, async (t) => {
    const { origin, until, connections } = await byHand(t)
    const front = await startFront(t, origin)
    const client = rawClient(t, front.port, head(framing))
    const { socket } = await until(0, /\r\n\r\n/)
    socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig')
    await client.until((text) => text.endsWith('big'))
    client.socket.write(SMUGGLED + request('GET /next'))
    const { text } = await client.ended
    assert.match(text, /^HTTP\/1.1 413 Too Large\r\n[\s\S]*\r\nConnection: close\r\n/i)
    assert.doesNotMatch(text, /HTTP\/1.1 100/)
    assert.deepEqual(await front.outcome(), { kind: 'answered', status: 413 })
    if (!socket.destroyed) await once(socket, 'close')
    assert.equal(connections.length, 1)
  })

  test(`a client that does not wait is not made to (${framing})`, async (t) => {
    const { origin, until } = await byHand(t)
    const front = await startFront(t, origin)
    const client = rawClient(t, front.port, head(framing, 'Connection: close') + body)
    const { socket } = await until(0, /smuggled[\s\S]*\r\n\r\n/)
    assert.equal(client.received(), '')
    socket.write(OK)
    const { text } = await client.ended
    assert.match(text, /^HTTP\/1.1 200 OK\r\n[\s\S]*ok$/)
  })
}

test('without an application nobody is told to go on', async (t) => {
  const front = await startFront(t, new URL(`http://127.0.0.1:${await freePort()}`))
  const { text } = await rawClient(t, front.port, head('Content-Length: 9', 'Connection: close'))
    .ended
  assert.match(text, /^HTTP\/1.1 502 [\s\S]*unreachable$/)
})

test('an application that says nothing at all is timed out', async (t) => {
  const { origin } = await byHand(t)
  const front = await startFront(t, origin, { headersTimeout: 50 })
  const { text } = await rawClient(t, front.port, head('Content-Length: 9', 'Connection: close'))
    .ended
  assert.match(text, /^HTTP\/1.1 502 [\s\S]*timed-out$/)
})

test('a client that was told to go on may take its time', async (t) => {
  const { origin, until } = await byHand(t)
  const front = await startFront(t, origin, { headersTimeout: 20 })
  const client = rawClient(t, front.port, head('Content-Length: 4'))
  const { socket } = await until(0, /\r\n\r\n/)
  socket.write(GO_ON)
  await client.until((text) => text === GO_ON)
  // Far longer than the application may take, by the clock that its time is measured by.
  for (const begin = performance.now(); performance.now() - begin < 200; ) {
    await new Promise(setImmediate)
  }
  client.socket.write('body')
  await until(0, /body$/)
  socket.write(OK)
  await client.until((text) => text.endsWith('ok'))
})

test('a client is told to go on once, and an application that says it without end is given up', async (t) => {
  const { origin, connections } = await rawApplication(t, async ({ socket }) => {
    for (let sent = 0; sent < 10_000 && !socket.destroyed; sent++) {
      socket.write(GO_ON)
      await new Promise(setImmediate)
    }
    socket.end(OK)
  })
  const front = await startFront(t, origin)
  const { text } = await rawClient(t, front.port, head('Content-Length: 4', 'Connection: close'))
    .ended
  assert.match(text, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 502 [\s\S]*invalid-response$/)
  assert.ok(connections[0]?.socket.destroyed)
})

test('in HTTP/1.0, and where no body follows, nothing is expected', async (t) => {
  const { origin, until } = await byHand(t)
  const front = await startFront(t, origin)
  rawClient(t, front.port, `POST / HTTP/1.0\r\n${EXPECT}\r\nContent-Length: 2\r\n\r\nok`)
  const { received } = await until(0, /ok$/)
  assert.doesNotMatch(received, /expect/i)
  const client = rawClient(t, front.port, request('GET /none', EXPECT))
  const bare = await until(1, /\r\n\r\n$/)
  assert.doesNotMatch(bare.received, /expect/i)
  bare.socket.write(OK)
  assert.match((await client.ended).text, /^HTTP\/1.1 200/)
})

test('over a unix socket the application decides too', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'stepgate-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'app.sock')
  const server = createServer((_, response) => response.end('ok'))
  server.on('checkContinue', (_, response) => response.writeHead(417).end('no'))
  await listen(t, server, path)
  const front = await startFront(t, { kind: 'unix', path })
  const { text } = await rawClient(t, front.port, head('Content-Length: 9', 'Connection: close'))
    .ended
  assert.match(text, /^HTTP\/1.1 417 /)
  assert.doesNotMatch(text, /HTTP\/1.1 100/)
})
