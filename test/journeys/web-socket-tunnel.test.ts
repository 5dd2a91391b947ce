import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer as createPlain, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test as unlimited } from 'node:test'
import {
  connect as connectSecurely,
  createServer as createSecure,
  getCACertificates,
  setDefaultCACertificates,
} from 'node:tls'
import { type DoorOptions, openDoor } from '../support/door.ts'
import { createCertificate } from '../support/slapd-certificate.ts'
import { until } from '../support/until.ts'
import { accepting, frame, framesOf, handshake, ORIGIN, switching } from '../support/web-socket.ts'
import { listen, type RawConnection, rawApplication, rawClient } from '../upstream/sockets.ts'

/** A connection that does not end as it should fails its test rather than hang it. */
const test = (name: string, run: (t: TestContext) => Promise<void>) =>
  unlimited(name, { timeout: 60_000 }, run)

async function doorTo(t: TestContext, upstream: string, options: DoorOptions = {}) {
  const env = { STEPGATE_UPSTREAM: upstream, STEPGATE_DEFAULT_ACR: 'basic', ...options.env }
  const door = await openDoor({ ...options, env })
  t.after(() => door.close())
  const hello = handshake('/chat', [ORIGIN, await door.cookieOf()])
  return { door, hello }
}

/** A client and an application with an open WebSocket between them. */
async function openPair(t: TestContext, rest = '', behind = '') {
  const { origin, connections } = await rawApplication(t, accepting(rest))
  const { door, hello } = await doorTo(t, origin.origin)
  const client = rawClient(t, door.port, hello + behind)
  await client.until((text) => text.includes('\r\n\r\n'))
  const [application] = connections
  assert.ok(application)
  await until(async () => door.context.underWay.webSockets() === 1)
  return { door, client, application }
}

const sentTo = ({ received }: RawConnection) => framesOf(received)
const gone = (socket: Socket | undefined) => until(async () => socket?.destroyed === true)

test('what either side says passes as it is: pings, fragments, garbage, bytes of every kind', async (t) => {
  const { client, application } = await openPair(t)
  const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('latin1')
  const said = [
    frame('ping', { opcode: 9 }),
    frame('pong', { opcode: 10 }),
    frame('first ', { fin: false }),
    frame('in between', { opcode: 9 }),
    frame('last', { opcode: 0 }),
    frame(every.repeat(300), { opcode: 2 }),
    `\xff\xff${every}\x00`,
    'GET /admin HTTP/1.1\r\nHost: a\r\n\r\n',
  ].join('')
  application.socket.write(said, 'latin1')
  client.socket.write(said, 'latin1')
  await client.until((text) => framesOf(text) === said)
  await until(async () => sentTo(application) === said)
})

test('what came with the handshake, and with the 101, comes first on either side', async (t) => {
  const { client, application } = await openPair(
    t,
    frame('early'),
    frame('hasty', { masked: true }),
  )
  await client.until((text) => framesOf(text) === frame('early'))
  client.socket.write('then', 'latin1')
  await until(async () => sentTo(application) === `${frame('hasty', { masked: true })}then`)
})

test('either side may end it, after all that it has said', async (t) => {
  const long = frame(randomBytes(300_000).toString('latin1'))
  for (const side of ['client', 'application'] as const) {
    const { door, client, application } = await openPair(t)
    if (side === 'client') {
      client.socket.end(long, 'latin1')
      await gone(application.socket)
      assert.equal(sentTo(application), long)
    } else {
      application.socket.end(long, 'latin1')
      const { text, reset } = await client.ended
      assert.deepEqual([framesOf(text), reset], [long, false])
    }
    await until(async () => door.context.underWay.webSockets() === 0)
  }
})

test('a side that is torn off takes the other along', async (t) => {
  for (const side of ['client', 'application'] as const) {
    const { door, client, application } = await openPair(t)
    const [dead, other] =
      side === 'client' ? [client.socket, application.socket] : [application.socket, client.socket]
    dead.resetAndDestroy()
    await gone(other)
    await until(async () => door.context.underWay.webSockets() === 0)
  }
})

test('a side that keeps its half open is let go', async (t) => {
  const lingering = createPlain({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.write(switching()))
    lingering.emit('taken', socket)
  })
  const taken: Socket[] = []
  lingering.on('taken', (socket) => taken.push(socket))
  const port = await listen(t, lingering)
  const { door, hello } = await doorTo(t, `http://127.0.0.1:${port}`)
  const client = rawClient(t, door.port, hello)
  await client.until((text) => text.includes('\r\n\r\n'))
  client.socket.end()
  await client.ended
  await until(async () => door.context.underWay.webSockets() === 0)
  const [application] = taken
  assert.ok(application)
  let broken = false
  application.on('error', () => {
    broken = true
  })
  await until(async () => {
    if (!application.destroyed) application.write('x')
    return broken
  })
})

test('who reads slowly slows the other side down, and nothing is lost', async (t) => {
  const bytes = 30_000_000
  for (const side of ['client', 'application'] as const) {
    const { client, application } = await openPair(t)
    const [from, to] =
      side === 'client' ? [client.socket, application.socket] : [application.socket, client.socket]
    to.pause()
    let accepted = 0
    const piece = Buffer.alloc(100_000, 'x')
    const fill = () => {
      while (accepted < bytes && from.writableLength < 200_000) {
        from.write(piece)
        accepted += piece.length
      }
    }
    const filling = setInterval(fill, 1)
    t.after(() => clearInterval(filling))
    // What the buffers of four sockets can hold is a few megabytes; then it stands still.
    let last = -1
    let still = 0
    await until(async () => {
      const sent = accepted - from.writableLength
      still = sent === last ? still + 1 : 0
      last = sent
      return still === 10
    })
    assert.ok(last < bytes / 2, `${side} could send ${last}`)
    to.resume()
    const arrived = () => (side === 'client' ? sentTo(application) : framesOf(client.received()))
    await until(async () => arrived().length === bytes)
  }
})

for (const secure of [false, true]) {
  test(`through ${secure ? 'TLS on both sides' : 'a unix socket'}`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'stepgate-web-socket-'))
    t.after(() => rm(folder, { recursive: true }))
    const echo = (socket: Socket) => {
      socket.on('error', () => {})
      socket.once('data', () => {
        socket.write(switching([], frame('hello')), 'latin1')
        socket.pipe(socket)
      })
    }
    let upstream: string
    let options: DoorOptions = {}
    if (secure) {
      const { ca, cert, key } = await createCertificate(folder, 'IP:127.0.0.1')
      const before = getCACertificates('default')
      setDefaultCACertificates([...before, await readFile(ca, 'utf8')])
      t.after(() => setDefaultCACertificates(before))
      const pem = { cert: await readFile(cert), key: await readFile(key) }
      const port = await listen(t, createSecure(pem, echo) as unknown as Server)
      upstream = `https://127.0.0.1:${port}`
      options = { tls: { certFile: cert, keyFile: key } }
    } else {
      await listen(t, createPlain(echo), join(folder, 'app.sock'))
      upstream = `unix:${join(folder, 'app.sock')}`
    }
    const { door, hello } = await doorTo(t, upstream, options)
    let client = rawClient(t, door.port, secure ? '' : hello)
    if (secure) {
      client.socket.destroy()
      const socket = connectSecurely({ port: door.port, host: '127.0.0.1' })
      client = gatherFrom(t, socket)
      socket.write(hello)
    }
    await client.until((text) => text.endsWith('hello'))
    client.socket.write(frame('echo', { masked: true }), 'latin1')
    await client.until(
      (text) => framesOf(text) === frame('hello') + frame('echo', { masked: true }),
    )
    client.socket.end()
    await until(async () => door.context.underWay.webSockets() === 0)
  })
}

function gatherFrom(t: TestContext, socket: Socket): ReturnType<typeof rawClient> {
  t.after(() => socket.destroy())
  let text = ''
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  return {
    socket,
    received: () => text,
    until: async (passes) => {
      await until(async () => passes(text))
      return text
    },
    ended: new Promise((resolve) => socket.on('close', () => resolve({ text, reset: false }))),
  }
}
