import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { request, startFront } from './front.ts'
import { answering, listen, type RawConnection, rawApplication, rawClient } from './sockets.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\nX-Forwarded-User: admin\r\n\r\n'

/** An application that counts what it reads as requests, with the body that each has. */
async function countingApplication(t: TestContext) {
  const seen: string[] = []
  const server = createServer(async (incoming, response) => {
    let body = ''
    incoming.setEncoding('latin1').on('data', (chunk) => {
      body += chunk
    })
    await once(incoming, 'end')
    const framing = incoming.headers['transfer-encoding'] ?? incoming.headers['content-length']
    seen.push(`${incoming.method} ${incoming.url} ${framing ?? 'none'} ${body}`)
    response.end('ok')
  })
  const port = await listen(t, server)
  return { origin: new URL(`http://127.0.0.1:${port}`), seen }
}

const chunked = `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`
for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
  const framings: [header: string, body: string, arrives: string][] = [
    ['Transfer-Encoding: chunked', chunked, 'chunked'],
    [`Content-Length: ${SMUGGLED.length}`, SMUGGLED, `${SMUGGLED.length}`],
  ]
  for (const [header, body, arrives] of framings) {
    test(`the body of ${method} with ${header} stays a body`, async (t) => {
      const application = await countingApplication(t)
      const front = await startFront(t, application.origin, { connections: 1 })
      // Written in two parts, so that the body is not there yet when the head is.
      const client = rawClient(t, front.port, request(`${method} /a`, header))
      await once(front.server, 'request')
      client.socket.write(body)
      assert.match((await client.ended).text, /^HTTP\/1.1 200/)
      await rawClient(t, front.port, request(`${method} /b`, header) + body).ended
      await rawClient(t, front.port, request('GET /after')).ended
      assert.deepEqual(application.seen, [
        `${method} /a ${arrives} ${SMUGGLED}`,
        `${method} /b ${arrives} ${SMUGGLED}`,
        'GET /after none ',
      ])
    })
  }
}

test('a request that announces no body is sent without, and an empty one with an empty one', async (t) => {
  const application = await countingApplication(t)
  const front = await startFront(t, application.origin)
  await rawClient(t, front.port, request('DELETE /a')).ended
  await rawClient(t, front.port, request('POST /b', 'Content-Length: 0')).ended
  await rawClient(t, front.port, `${request('POST /c', 'Transfer-Encoding: chunked')}0\r\n\r\n`)
    .ended
  assert.deepEqual(application.seen, ['DELETE /a none ', 'POST /b 0 ', 'POST /c chunked '])
})

test('a body after Expect: 100-continue is invited once and arrives as a body', async (t) => {
  const application = await countingApplication(t)
  const front = await startFront(t, application.origin)
  const client = rawClient(
    t,
    front.port,
    request('POST /a', 'Expect: 100-continue', `Content-Length: ${SMUGGLED.length}`),
  )
  await client.until((text) => text === 'HTTP/1.1 100 Continue\r\n\r\n')
  client.socket.write(SMUGGLED)
  const { text } = await client.ended
  assert.equal(text.match(/HTTP\/1.1 100/g)?.length, 1)
  assert.deepEqual(application.seen, [`POST /a ${SMUGGLED.length} ${SMUGGLED}`])
})

test('an answer before the body is through is delivered, and the rest is read as no request', async (t) => {
  const { origin, connections } = await rawApplication(
    t,
    answering('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig'),
  )
  const front = await startFront(t, origin, { connections: 1 })
  const head = `POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: ${SMUGGLED.length * 2}\r\n\r\n`
  const client = rawClient(t, front.port, head + SMUGGLED)
  await client.until((text) => text.endsWith('big'))
  assert.deepEqual(await front.outcome(), { kind: 'answered', status: 413 })
  client.socket.write(`${SMUGGLED}${request('GET /next')}`)
  const { text } = await client.ended
  assert.equal(text.match(/HTTP\/1.1 413/g)?.length, 2)
  assert.equal(connections.length, 2)
  assert.match(connections[0]?.received ?? '', /^POST \/up /)
  assert.match(connections[1]?.received ?? '', /^GET \/next /)
  assert.equal(connections[1]?.received.includes('smuggled'), false)
})

test('when the application is down the rest of a body is read as no request either', async (t) => {
  const { origin, connections } = await rawApplication(t, ({ socket }) => socket.destroy())
  const front = await startFront(t, origin)
  const head = `POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: ${SMUGGLED.length * 2}\r\n\r\n`
  const client = rawClient(t, front.port, head + SMUGGLED)
  await client.until((text) => text.endsWith('unreachable'))
  client.socket.write(SMUGGLED + request('GET /next'))
  const { text } = await client.ended
  assert.equal(text.match(/HTTP\/1.1 502/g)?.length, 2)
  assert.equal(connections[0]?.received.startsWith('POST /up '), true)
  for (const { received } of connections.slice(1)) assert.match(received, /^GET \/next /)
})

/** Writes blocks until the connection has long taken no more; how many were handed over. */
async function fill(socket: Socket, block: string): Promise<number> {
  let blocks = 0
  for (let idleTurns = 0; idleTurns < 200; idleTurns++) {
    while (!socket.writableNeedDrain) {
      socket.write(block)
      blocks++
      idleTurns = 0
      assert.ok(blocks < 4096, 'the sender was never told to wait')
    }
    await new Promise(setImmediate)
  }
  return blocks
}

test('an application that does not read makes the browser wait, and gets all when it does', async (t) => {
  const paused: RawConnection[] = []
  const { origin } = await rawApplication(t, (connection) => {
    if (paused.push(connection) === 1) connection.socket.pause()
  })
  const front = await startFront(t, origin)
  const client = rawClient(t, front.port, request('POST /', 'Transfer-Encoding: chunked'))
  const chunk = `10000\r\n${'x'.repeat(65536)}\r\n`
  const chunks = await fill(client.socket, chunk)
  const [connection] = paused
  assert.ok(connection)
  client.socket.write('0\r\n\r\n')
  connection.socket.resume()
  while (!connection.received.endsWith('\r\n0\r\n\r\n')) await once(connection.socket, 'data')
  connection.socket.write(OK)
  assert.match((await client.ended).text, /ok$/)
  assert.equal(
    connection.received.match(/x/g)?.length,
    chunks * 65536 + countX(connection.received),
  )
})

/** The letter x in the head, which is no content. */
function countX(received: string): number {
  return received.split('\r\n\r\n')[0]?.match(/x/g)?.length ?? 0
}

test('a browser that does not read makes the application wait, and gets all when it does', async (t) => {
  let connection: RawConnection | undefined
  const { origin } = await rawApplication(t, (opened) => {
    if (connection === undefined) opened.socket.write('HTTP/1.1 200 OK\r\nX: 1\r\n\r\n')
    connection ??= opened
  })
  const front = await startFront(t, origin)
  const client = rawClient(t, front.port, request('GET /'))
  await client.until((text) => text.endsWith('\r\n\r\n'))
  client.socket.pause()
  const application = connection?.socket
  assert.ok(application)
  const block = 'y'.repeat(65536)
  const blocks = await fill(application, block)
  application.end()
  client.socket.resume()
  const { text } = await client.ended
  assert.equal(text.match(/y{2,}/g)?.join('').length, blocks * 65536)
  assert.match(text, /\r\n0\r\n\r\n$/)
  assert.deepEqual(await front.outcome(), { kind: 'answered', status: 200 })
})

test('a body that waits when the answer comes is thrown away, and the connection goes on', async (t) => {
  const { origin, connections } = await rawApplication(t, (connection, all) => {
    if (connection === all[0]) connection.socket.pause()
    else answering(OK)(connection)
  })
  const front = await startFront(t, origin)
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
  const client = rawClient(t, front.port, head)
  await fill(client.socket, `10000\r\n${'z'.repeat(65536)}\r\n`)
  connections[0]?.socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig')
  client.socket.write(`0\r\n\r\n${request('GET /next')}`)
  const { text } = await client.ended
  assert.match(text, /^HTTP\/1.1 413 [\s\S]*bigHTTP\/1.1 200 [\s\S]*ok$/)
})
