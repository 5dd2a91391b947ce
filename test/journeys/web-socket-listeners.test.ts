import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect as connectPlain, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { valuesUnder } from '../support/counting-upstream.ts'
import { openDoor } from '../support/door.ts'
import { rawRequest, statusesOf } from '../support/raw-exchange.ts'
import { createCertificate } from '../support/slapd-certificate.ts'
import { openTlsDoor } from '../support/tls-door.ts'
import { accepting, frame, handshake } from '../support/web-socket.ts'
import { rawApplication } from '../upstream/sockets.ts'

const PUBLIC = 'https://app.example.com'

async function answerOver(t: TestContext, socket: Socket): Promise<string> {
  t.after(() => socket.destroy())
  let text = ''
  socket.setEncoding('latin1').on('data', (piece: string) => {
    text += piece
  })
  socket.write(handshake('/chat', [`Origin: ${PUBLIC}`]))
  while (!text.endsWith('welcome')) {
    assert.ok(!socket.destroyed, text)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return text
}

test('a WebSocket comes in over TLS beside HTTP/2, which browsers leave for it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'stepgate-ws-'))
  t.after(() => rm(folder, { recursive: true }))
  const { ca, cert, key } = await createCertificate(folder, 'DNS:app.example.com')
  const { origin } = await rawApplication(t, accepting(frame('welcome')))
  const door = await openDoor({
    env: {
      STEPGATE_PUBLIC_URL: PUBLIC,
      STEPGATE_UPSTREAM: origin.origin,
      STEPGATE_RULES: 'public /**',
    },
    tls: { certFile: cert, keyFile: key },
  })
  t.after(() => door.close())
  const socket = connectTls({
    port: door.port,
    host: '127.0.0.1',
    servername: 'app.example.com',
    ca: await readFile(ca),
    ALPNProtocols: ['http/1.1'],
  })
  assert.match(await answerOver(t, socket), /^HTTP\/1\.1 101 /)
})

test('and behind a balancer that speaks the PROXY protocol, from the client that it names', async (t) => {
  const { origin, connections } = await rawApplication(t, accepting(frame('welcome')))
  const door = await openDoor({
    env: {
      STEPGATE_PUBLIC_URL: PUBLIC,
      STEPGATE_UPSTREAM: origin.origin,
      STEPGATE_RULES: 'public /**',
      STEPGATE_PROXY_PROTOCOL: 'on',
      STEPGATE_TRUSTED_PROXIES: '127.0.0.1',
    },
  })
  t.after(() => door.close())
  const socket = connectPlain(door.port, '127.0.0.1')
  socket.write('PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n')
  assert.match(await answerOver(t, socket), /^HTTP\/1\.1 101 /)
  assert.match(connections[0]?.received ?? '', /\r\nX-Forwarded-For: 192\.0\.2\.7\r\n/)
})

test('over TLS too all but a handshake goes the ordinary way, with its content', async (t) => {
  const { door, upstream } = await openTlsDoor(t)
  const send = async (headers: readonly string[], body = 'hello') => {
    const options = { port: door.port, host: '127.0.0.1', rejectUnauthorized: false }
    const socket = connectTls({ ...options, ALPNProtocols: ['http/1.1'] })
    t.after(() => socket.destroy())
    const head = ['Host: app.example.com', `Origin: ${PUBLIC}`, ...headers]
    socket.write(rawRequest('POST /public/pay HTTP/1.1', head, body))
    return statusesOf((await socket.setEncoding('latin1').toArray()).join(''))
  }
  for (const [framing, body] of [
    ['Content-Length: 5', 'hello'],
    ['Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'],
  ] as const) {
    // So do Java's clients ask for everything.
    assert.deepEqual(await send([framing, 'Upgrade: h2c', 'Connection: Upgrade'], body), [200])
    const [arrived, ...more] = upstream.take()
    assert.deepEqual([arrived?.method, arrived?.body, more], ['POST', 'hello', []])
    assert.deepEqual(arrived && valuesUnder(arrived, 'upgrade'), [])
  }
  for (const [framing, protocol] of [
    ['Content-Length: 5', 'websocket'],
    ['Transfer-Encoding: chunked\t', 'h2c'],
  ]) {
    const headers = [`Upgrade: ${protocol}`, 'Connection: Upgrade', `${framing}`]
    assert.deepEqual(await send(headers), [400])
  }
  assert.deepEqual(upstream.take(), [])
})
