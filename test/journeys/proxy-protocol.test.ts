import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectHttp2 } from 'node:http2'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { isHealthy } from '../../proxy/healthcheck.ts'
import { type Arrival, startCountingUpstream, valuesUnder } from '../support/counting-upstream.ts'
import { type Door, type DoorOptions, openDoor } from '../support/door.ts'
import { ask } from '../support/http2-client.ts'
import { proxyV2 } from '../support/proxy-v2.ts'
import { rawRequest, statusesOf } from '../support/raw-exchange.ts'
import { openTlsDoor } from '../support/tls-door.ts'
import { until } from '../support/until.ts'
import { listen } from '../upstream/sockets.ts'

const V1 = Buffer.from('PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n')
const V2 = proxyV2({ address: '2001:db8::9', tlvs: Buffer.from('0400020000', 'hex') })
const LOCAL = proxyV2({ command: 0x20, family: 0 })
const UNSPEC = proxyV2({ command: 0x21, family: 0 })
const UNKNOWN = Buffer.from('PROXY UNKNOWN\r\n')

const ON = { STEPGATE_PROXY_PROTOCOL: 'on', STEPGATE_TRUSTED_PROXIES: '127.0.0.1' }

const get = (...headers: readonly string[]) =>
  Buffer.from(rawRequest('GET /public/x HTTP/1.1', ['Host: app.example.com', ...headers]))
const last = (...headers: readonly string[]) => get('Connection: close', ...headers)

async function open(t: TestContext, options: DoorOptions = {}) {
  const upstream = await startCountingUpstream()
  t.after(() => upstream.close())
  const env = {
    STEPGATE_UPSTREAM: upstream.origin.origin,
    STEPGATE_RULES: 'public /public/**',
    ...ON,
    ...options.env,
  }
  const door = await openDoor({ ...options, env })
  t.after(() => door.close())
  return { door, upstream }
}

function dial(t: TestContext, door: Door, from = '127.0.0.1'): Socket {
  const socket = connect({ port: door.port, host: '127.0.0.1', localAddress: from, noDelay: true })
  t.after(() => socket.destroy())
  return socket.on('error', () => {})
}

async function textOf(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (piece) => {
    text += piece.toString('latin1')
  })
  await once(socket, 'close')
  return text
}

const clientOf = (arrival: Arrival | undefined) =>
  arrival && valuesUnder(arrival, 'x-forwarded-for')

test('the client that a trusted balancer names is the client, over plain HTTP', async (t) => {
  const { door, upstream } = await open(t)
  for (const [header, address] of [
    [V1, '203.0.113.9'],
    [V2, '2001:db8::9'],
    [Buffer.from('PROXY TCP6 ::ffff:203.0.113.9 ::1 1 2\r\n'), '203.0.113.9'],
  ] as const) {
    const socket = dial(t, door)
    socket.write(Buffer.concat([header, last()]))
    assert.deepEqual(statusesOf(await textOf(socket)), [200])
    const [arrived, ...more] = upstream.take()
    assert.deepEqual([clientOf(arrived), more], [[address], []])
    assert.equal(door.logs('request').at(-1)?.client, address)
  }
})

test('nothing is lost, however the bytes are cut: in one packet, or one by one', async (t) => {
  const { door, upstream } = await open(t)
  const body = 'x'.repeat(3000)
  const post = ['Host: app.example.com', 'Content-Length: 3000', 'Connection: close']
  for (const header of [V1, V2, LOCAL]) {
    const bytes = Buffer.concat([
      header,
      get(),
      get(),
      Buffer.from(rawRequest('POST /public/y HTTP/1.1', post, body)),
    ])
    for (const cuts of [[], [1], [header.length - 1], [header.length], [header.length + 3], ALL]) {
      const socket = dial(t, door)
      await once(socket, 'connect')
      const text = textOf(socket)
      let from = 0
      for (const to of cuts === ALL ? [...bytes.keys()].slice(0, 150) : cuts) {
        socket.write(bytes.subarray(from, to))
        from = to
        await new Promise((resolve) => setImmediate(resolve))
      }
      socket.write(bytes.subarray(from))
      assert.deepEqual(statusesOf(await text), [200, 200, 200])
      const arrived = upstream.take()
      assert.equal(arrived.length, 3)
      assert.equal(arrived[2]?.body, body)
    }
  }
})

const ALL: readonly number[] = []

test('before TLS it works the same, for HTTP/1.1 and HTTP/2', async (t) => {
  const { door, upstream } = await openTlsDoor(t, { env: ON })
  for (const protocol of ['http/1.1', 'h2']) {
    const raw = dial(t, door)
    raw.write(V1)
    const socket = connectTls({ socket: raw, rejectUnauthorized: false, ALPNProtocols: [protocol] })
    if (protocol === 'h2') {
      const session = connectHttp2('https://app.example.com', { createConnection: () => socket })
      t.after(() => session.destroy())
      assert.equal((await ask(session, { ':path': '/public/x' })).status, 200)
    } else {
      socket.write(last())
      assert.deepEqual(statusesOf(await textOf(socket)), [200])
    }
    const [arrived] = upstream.take()
    assert.ok(arrived)
    assert.deepEqual(clientOf(arrived), ['203.0.113.9'])
    assert.deepEqual(valuesUnder(arrived, 'x-forwarded-proto'), ['https'])
    await until(async () => door.logs('request').at(-1)?.client === '203.0.113.9')
  }
})

test('the TLS hello in the same packet as the header is not lost', async (t) => {
  const { door, upstream } = await openTlsDoor(t, { env: ON })
  const balancer = createServer((client) => {
    const onward = dial(t, door)
    client
      .on('error', () => {})
      .once('data', (hello: Buffer) => {
        onward.write(Buffer.concat([V2, hello]))
        client.pipe(onward).pipe(client)
      })
  })
  const port = await listen(t, balancer)
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
  socket.write(last())
  assert.deepEqual(statusesOf(await textOf(socket)), [200])
  assert.deepEqual(clientOf(upstream.take()[0]), ['2001:db8::9'])
})

test('a connection without a valid header is cut off, and nothing of it is read', async (t) => {
  const { door, upstream } = await open(t)
  for (const bytes of [
    last(),
    Buffer.from('\x16\x03\x01\x02\x00', 'latin1'),
    Buffer.concat([Buffer.from('PROXY TCP4 203.0.113.9 192.0.2.1 4711\r\n'), last()]),
    Buffer.concat([proxyV2({ command: 0x21, family: 0x11, body: Buffer.alloc(5) }), last()]),
    Buffer.concat([proxyV2({ command: 0x2f, family: 0x11, body: Buffer.alloc(12) }), last()]),
    Buffer.concat([V1, V1, last()]),
    Buffer.from(`PROXY UNKNOWN ${'x'.repeat(10_000)}`),
  ]) {
    const socket = dial(t, door)
    socket.write(bytes)
    assert.doesNotMatch(await textOf(socket), / 200 /)
  }
  assert.deepEqual(upstream.take(), [])
  const lines = door.lines().filter((line) => line.includes('PROXY protocol'))
  assert.equal(lines.length, 1, 'one warning, not one a connection')
  const half = dial(t, door)
  half.end('PROXY TCP4 203.')
  assert.equal(await textOf(half), '')
})

test('who is not trusted is cut off, whatever he sends', async (t) => {
  const { door, upstream } = await open(t, { env: { STEPGATE_TRUSTED_PROXIES: '127.0.0.2' } })
  const trusted = dial(t, door, '127.0.0.2')
  trusted.write(Buffer.concat([V1, last()]))
  assert.deepEqual(statusesOf(await textOf(trusted)), [200])
  assert.deepEqual(clientOf(upstream.take()[0]), ['203.0.113.9'])
  for (const header of [V1, V2]) {
    const socket = dial(t, door)
    socket.write(Buffer.concat([header, last()]))
    assert.equal(await textOf(socket), '')
  }
  assert.deepEqual(upstream.take(), [])
})

test('a balancer that names nobody is the client itself, and its headers do not count', async (t) => {
  const { door, upstream } = await open(t)
  for (const header of [LOCAL, UNSPEC, UNKNOWN]) {
    const socket = dial(t, door)
    socket.write(Buffer.concat([header, last('X-Forwarded-For: 6.6.6.6', 'X-Real-IP: 6.6.6.6')]))
    assert.deepEqual(statusesOf(await textOf(socket)), [200])
    const [arrived] = upstream.take()
    assert.ok(arrived)
    assert.deepEqual(clientOf(arrived), ['127.0.0.1'])
    assert.ok(!arrived.rawHeaders.includes('6.6.6.6'))
  }
})

test('headers count of a proxy behind the balancer if it is trusted, of a client never', async (t) => {
  const { door, upstream } = await open(t, {
    env: { STEPGATE_TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8' },
  })
  for (const [peer, chain] of [
    ['10.1.2.3', ['198.51.100.7, 10.1.2.3']],
    ['203.0.113.9', ['203.0.113.9']],
  ] as const) {
    const socket = dial(t, door)
    socket.write(Buffer.concat([proxyV2({ address: peer }), last('X-Forwarded-For: 198.51.100.7')]))
    await textOf(socket)
    assert.deepEqual(clientOf(upstream.take()[0]), chain)
  }
})

test('it works on a unix socket too', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'stepgate-proxy-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'a.sock')
  const { upstream } = await open(t, {
    listen: { kind: 'unix', path },
    env: { STEPGATE_TRUSTED_PROXIES: 'unix' },
  })
  const socket = connect(path)
  socket.write(Buffer.concat([V1, last()]))
  assert.deepEqual(statusesOf(await textOf(socket)), [200])
  assert.deepEqual(clientOf(upstream.take()[0]), ['203.0.113.9'])
})

test('the health check of this machine needs no trust, over plain HTTP and TLS', async (t) => {
  const env = { STEPGATE_TRUSTED_PROXIES: '127.0.0.2' }
  const plain = await open(t, { env })
  const secure = await openTlsDoor(t, { env: { ...ON, ...env } })
  for (const { door } of [plain, secure]) {
    const { config } = door.context
    const listen = { kind: 'tcp', host: '127.0.0.1', port: door.port } as const
    assert.equal(await isHealthy({ ...config, listen }), true)
    assert.equal(await isHealthy({ ...config, listen, proxyProtocol: false }), false)
  }
})

test('a stop does not wait for connections that have not said who they are', async (t) => {
  const { door } = await openTlsDoor(t, { env: ON })
  const silent = dial(t, door)
  const begun = dial(t, door)
  begun.write('PROXY ')
  await Promise.all([once(silent, 'connect'), once(begun, 'connect')])
  const used = dial(t, door)
  used.write(V1)
  const idle = connectTls({ socket: used, rejectUnauthorized: false })
  idle.write(get())
  await once(idle, 'data')
  await door.close()
  assert.ok(!door.lines().some((line) => line.includes('too_late')))
})
