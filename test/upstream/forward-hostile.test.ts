import assert from 'node:assert/strict'
import { once } from 'node:events'
import { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, Socket } from 'node:net'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { emptyNotes } from '../../proxy/access-notes.ts'
import { sendEarlyHints } from '../../proxy/upstream/early-hints.ts'
import { ASKED, request, startFront } from './front.ts'
import { answering, listen, type RawConnection, rawApplication, rawClient } from './sockets.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

const invalid: [what: string, bytes: string][] = [
  ['no HTTP at all', 'SSH-2.0-OpenSSH_9\r\n'],
  ['two status lines', `HTTP/1.1 200 OK\r\n${OK}`],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok'],
  [
    'a length and chunks',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n',
  ],
  ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok'],
  ['a NUL in a header', 'HTTP/1.1 200 OK\r\nA: \0\r\n\r\n'],
  ['a folded header', 'HTTP/1.1 200 OK\r\nA: 1\r\n 2\r\n\r\n'],
  ['a protocol switch with Upgrade', 'HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'],
  ['a protocol switch without', `HTTP/1.1 101 S\r\n\r\n${OK}`],
  ['a 100 that nobody waits for', `HTTP/1.1 100 Continue\r\n\r\n${OK}`],
  ['endless interim responses', `${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(1000)}${OK}`],
  ['an endless header', `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(70_000)}`],
  ['endless headers', `HTTP/1.1 200 OK\r\n${'A: 1\r\n'.repeat(40_000)}`],
]
/** A request for undici, and one for the stream sender. */
const GET = request('GET /')
const STREAM = `${request('POST /', 'Transfer-Encoding: chunked')}4\r\nbody\r\n0\r\n\r\n`
const WAYS = [
  ['', GET],
  [' to a body in chunks', STREAM],
] as const

for (const [[what, bytes], [way, sent]] of invalid.flatMap((one) =>
  WAYS.map((other) => [one, other] as const),
)) {
  // Whoever sends a body may be told to go on, whether or not they wait for it.
  if (what.startsWith('a 100') && sent === STREAM) continue
  test(`${what} from the application${way} is an invalid response, and nothing of it is shown`, async (t) => {
    const { origin, connections } = await rawApplication(t, answering(bytes))
    const front = await startFront(t, origin)
    const { text } = await rawClient(t, front.port, sent).ended
    assert.match(text, /^HTTP\/1.1 502 [\s\S]*\r\n\r\ninvalid-response$/)
    assert.equal((await front.outcome()).kind, 'invalid-response')
    const [connection] = connections
    if (!connection?.socket.destroyed) await once(connection!.socket, 'close')
    assert.equal(connections.length, 1)
  })
}

test('a head that is cut off is an invalid response and is not asked for again', async (t) => {
  const { origin, connections } = await rawApplication(t, ({ socket }) =>
    socket.end('HTTP/1.1 200 OK\r\nContent-'),
  )
  const front = await startFront(t, origin)
  await rawClient(t, front.port, request('GET /')).ended
  assert.equal((await front.outcome()).kind, 'invalid-response')
  assert.equal(connections.length, 1)
})

test('a second response to one request is never anybody\u2019s response', async (t) => {
  const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'
  const { origin, connections } = await rawApplication(t, (connection, all) =>
    answering(connection === all[0] ? OK + evil : OK)(connection),
  )
  const front = await startFront(t, origin, { connections: 1 })
  for (let i = 0; i < 3; i++) {
    const { text } = await rawClient(t, front.port, request('GET /')).ended
    assert.match(text, /\r\n\r\nok$/)
  }
  assert.ok(connections.length >= 2)
})

test('what comes behind the length that a response names is never the next response', async (t) => {
  const { origin } = await rawApplication(t, (connection, all) =>
    answering(connection === all[0] ? `${OK}${OK.replace(/ok$/, 'no')}` : OK)(connection),
  )
  const front = await startFront(t, origin, { connections: 1 })
  const asked = `GET / HTTP/1.1\r\nHost: a\r\n\r\n${request('GET /')}`
  const { text } = await rawClient(t, front.port, asked).ended
  assert.deepEqual(text.match(/\r\n\r\n(ok|no)/g), ['\r\n\r\nok', '\r\n\r\nok'])
})

test('endless early hints end, and the browser has got no more than some of them', async (t) => {
  const hint = 'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n'
  const { origin, connections } = await rawApplication(t, async ({ socket }) => {
    for (let sent = 0; sent < 10_000 && !socket.destroyed; sent++) {
      socket.write(hint)
      await new Promise(setImmediate)
    }
    socket.end(OK)
  })
  const front = await startFront(t, origin)
  const { text } = await rawClient(t, front.port, request('GET /')).ended
  const hints = text.match(/HTTP\/1.1 103/g)?.length ?? 0
  assert.ok(hints > 1 && hints < 100, `${hints} hints`)
  assert.match(text, /HTTP\/1.1 502 [\s\S]*invalid-response$/)
  assert.ok(connections[0]?.socket.destroyed)
})

test('early hints hold nobody up, whatever they look like', () => {
  for (const link of [
    '<'.repeat(1_000_000),
    `<a>${';a=b'.repeat(100)}"`,
    `<a>;${'='.repeat(1e6)}"`,
  ]) {
    const outgoing = new ServerResponse(new IncomingMessage(new Socket()))
    // What takes too long takes hours.
    runInNewContext('send()', { send: () => sendEarlyHints(outgoing, link) }, { timeout: 30_000 })
  }
})

test('endless trailers cut the response off', async (t) => {
  const { origin } = await rawApplication(t, async ({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n0\r\n')
    for (let sent = 0; sent < 1_000 && !socket.destroyed; sent++) {
      socket.write('A: 1\r\n'.repeat(1000))
      await new Promise(setImmediate)
    }
    socket.end('\r\n')
  })
  const front = await startFront(t, origin)
  const { text } = await rawClient(t, front.port, request('GET /')).ended
  assert.match(text, /part/)
  assert.doesNotMatch(text, /\r\n0\r\n/)
  assert.equal((await front.outcome()).kind, 'cut-off')
})

test('content after a HEAD or a 204 is never the next response', async (t) => {
  const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'
  for (const [line, response] of [
    ['HEAD /', `HTTP/1.1 200 OK\r\nContent-Length: ${evil.length}\r\n\r\n${evil}`],
    ['GET /', `HTTP/1.1 204 No\r\nContent-Length: ${evil.length}\r\n\r\n${evil}`],
    ['GET /', `HTTP/1.1 304 No\r\n\r\n${evil}`],
  ] as const) {
    const { origin } = await rawApplication(t, (connection, all) =>
      answering(connection === all[0] ? response : OK)(connection),
    )
    const front = await startFront(t, origin, { connections: 1 })
    assert.doesNotMatch((await rawClient(t, front.port, request(line)).ended).text, /evil/)
    assert.match((await rawClient(t, front.port, request('GET /')).ended).text, /\r\n\r\nok$/)
  }
})

const cut: [what: string, bytes: string, how: 'end' | 'reset'][] = [
  ['too short for its length', 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\npart', 'end'],
  ['reset where only the end of the connection ends it', 'HTTP/1.1 200 OK\r\n\r\npart', 'reset'],
  ['reset before its length', 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\npart', 'reset'],
  [
    'closing, too short',
    'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\npart',
    'end',
  ],
  [
    'without its last chunk',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n',
    'end',
  ],
  [
    'with a bad chunk',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\nzz\r\n',
    'end',
  ],
]
const READERS = [
  ['an HTTP/1.1 client', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['an HTTP/1.0 client', 'GET / HTTP/1.0\r\nHost: a\r\n\r\n'],
  ['a client that sends chunks', STREAM],
] as const
for (const [reader, sent] of READERS) {
  for (const [what, bytes, how] of cut) {
    test(`a response ${what} is cut for ${reader} too`, async (t) => {
      let connection: RawConnection | undefined
      const { origin } = await rawApplication(t, (opened) => {
        connection = opened
        answering(bytes)(opened)
      })
      const front = await startFront(t, origin)
      const client = rawClient(t, front.port, sent)
      // What is wrong from the start may be cut before any of it is passed on.
      await client.until((text) => text.includes('part')).catch(() => {})
      if (how === 'end') connection?.socket.end()
      else connection?.socket.resetAndDestroy()
      const { text, reset } = await client.ended
      assert.equal((await front.outcome()).kind, 'cut-off')
      assert.doesNotMatch(text, /\r\n0\r\n\r\n$/)
      if (reader.includes('1.0')) assert.equal(reset, true)
    })
  }
}

test('an application that cannot be reached is unreachable', async (t) => {
  const server = createServer()
  const port = await listen(t, server)
  server.close()
  await once(server, 'close')
  const front = await startFront(t, new URL(`http://127.0.0.1:${port}`))
  const { text } = await rawClient(t, front.port, request('GET /')).ended
  assert.match(text, /\r\n\r\nunreachable$/)
  const outcome = await front.outcome()
  assert.equal(
    outcome.kind === 'unreachable' && 'code' in outcome.error && outcome.error.code,
    'ECONNREFUSED',
  )
})

test('an application that says nothing in time is timed out, and its connection closed', async (t) => {
  const { origin, connections } = await rawApplication(t, () => {})
  const front = await startFront(t, origin, { headersTimeout: 50 })
  for (const sent of [GET, STREAM]) {
    const { text } = await rawClient(t, front.port, sent).ended
    assert.match(text, /\r\n\r\ntimed-out$/)
    assert.equal((await front.outcome()).kind, 'timed-out')
  }
  assert.equal(connections.length, 2)
  for (const { socket } of connections) if (!socket.destroyed) await once(socket, 'close')
})

test('an application that falls silent in mid-response is cut off', async (t) => {
  const { origin } = await rawApplication(
    t,
    answering('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\npart'),
  )
  const front = await startFront(t, origin, { bodyTimeout: 50 })
  for (const sent of [GET, STREAM]) {
    assert.match((await rawClient(t, front.port, sent).ended).text, /part(\r\n)?$/)
    assert.equal((await front.outcome()).kind, 'cut-off')
  }
})

test('a browser that leaves before the response ends the exchange with the application', async (t) => {
  let arrived: (connection: RawConnection) => void
  const first = new Promise<RawConnection>((resolve) => {
    arrived = resolve
  })
  const { origin } = await rawApplication(t, (connection) => arrived(connection))
  const front = await startFront(t, origin)
  const client = rawClient(t, front.port, request('GET /'))
  const { socket } = await first
  client.socket.destroy()
  if (!socket.destroyed) await once(socket, 'close')
  assert.deepEqual(await front.outcome(), { kind: 'client-gone' })
})

test('a browser that leaves in mid-response or mid-body ends the exchange too', async (t) => {
  for (const [sent, response] of [
    [request('GET /'), 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\npart'],
    [STREAM, 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\npart'],
    [
      `${request('POST /', 'Transfer-Encoding: chunked')}4\r\npart\r\n`,
      'HTTP/1.1 103 Early Hints\r\nLink: </part>\r\n\r\n',
    ],
    [
      `${request('POST /', 'Content-Length: 99')}part`,
      'HTTP/1.1 103 Early Hints\r\nLink: </part>\r\n\r\n',
    ],
  ] as const) {
    const { origin, connections } = await rawApplication(t, answering(response))
    const front = await startFront(t, origin)
    const client = rawClient(t, front.port, sent)
    await client.until((text) => text.includes('part'))
    const socket = connections[0]?.socket
    client.socket.destroy()
    if (!socket?.destroyed) await once(socket!, 'close')
    assert.deepEqual(await front.outcome(), { kind: 'client-gone' })
  }
})

test('a browser that leaves while its request waits for a connection costs the application nothing', async (t) => {
  const { origin, connections } = await rawApplication(t, (connection) => {
    if (connection.received.includes('/release')) return
  })
  const front = await startFront(t, origin, { connections: 1 })
  const first = rawClient(t, front.port, request('GET /first'))
  while (connections[0]?.received.includes('/first') !== true) await new Promise(setImmediate)
  const second = rawClient(t, front.port, request('GET /second'))
  await once(front.server, 'request')
  second.socket.destroy()
  assert.deepEqual(await front.outcome(), { kind: 'client-gone' })
  connections[0]?.socket.write(OK)
  assert.match((await first.ended).text, /ok$/)
  const third = rawClient(t, front.port, request('GET /third'))
  while (!connections.some(({ received }) => received.includes('/third'))) {
    await new Promise(setImmediate)
  }
  assert.equal(
    connections.some(({ received }) => received.includes('/second')),
    false,
  )
  third.socket.destroy()
})

test('for a browser that has left already the application is not asked', async (t) => {
  const { origin, connections } = await rawApplication(t, answering(OK))
  const front = await startFront(t, origin)
  front.server.removeAllListeners('request')
  const outcome = new Promise((resolve, reject) => {
    front.server.on('request', async (incoming, outgoing) => {
      await once(outgoing, 'close')
      const asked = { ...ASKED, target: '/' }
      front.forwarder
        .forward(asked, incoming, outgoing, () => [], emptyNotes('forward'))
        .then(resolve, reject)
    })
  })
  const client = rawClient(t, front.port, request('GET /'))
  await once(front.server, 'request')
  client.socket.destroy()
  assert.deepEqual(await outcome, { kind: 'client-gone' })
  assert.equal(connections.length, 0)
})

/** Answers the first request of the first connection, then drops that connection at the next. */
function dropsReused(connection: RawConnection, all: readonly RawConnection[]): void {
  const requests = connection.received.split('\r\n\r\n').length - 1
  if (connection === all[0] && requests > 1) connection.socket.destroy()
  else connection.socket.write(OK)
}

test('a connection that was closed just as it was used again is no failure of GET or DELETE', async (t) => {
  for (const method of ['GET', 'DELETE']) {
    const { origin, connections } = await rawApplication(t, dropsReused)
    const front = await startFront(t, origin)
    await rawClient(t, front.port, request('GET /a')).ended
    assert.match((await rawClient(t, front.port, request(`${method} /b`)).ended).text, /ok$/)
    assert.equal(connections.length, 2)
  }
})

test('a POST, or anything with a body, is never sent a second time', async (t) => {
  for (const line of ['POST /b', 'PUT /b']) {
    const { origin, connections } = await rawApplication(t, dropsReused)
    const front = await startFront(t, origin)
    await rawClient(t, front.port, request('GET /a')).ended
    const sent = `${request(line, 'Content-Length: 4')}body`
    assert.match((await rawClient(t, front.port, sent).ended).text, /unreachable$/)
    const empty = await rawApplication(t, ({ socket }) => socket.destroy())
    const other = await startFront(t, empty.origin)
    await rawClient(t, other.port, request('POST /b')).ended
    assert.equal(empty.connections.length, 1)
    assert.equal(connections.length, 1)
  }
})

test('a GET is sent a second time but not a third', async (t) => {
  const { origin, connections } = await rawApplication(t, ({ socket }) => socket.destroy())
  const front = await startFront(t, origin)
  assert.match((await rawClient(t, front.port, request('GET /')).ended).text, /unreachable$/)
  assert.equal(connections.length, 2)
})
