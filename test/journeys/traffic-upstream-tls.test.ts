import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test as unlimited } from 'node:test'
import type { UpstreamTls } from '../../proxy/config/config.ts'
import { openDoor } from '../support/door.ts'
import { freePort } from '../support/free-port.ts'
import { rawRequest, sendRaw, statusesOf } from '../support/raw-exchange.ts'
import { createCertificate } from '../support/slapd-certificate.ts'
import { closing, framesOf, handshake, ORIGIN, switching } from '../support/web-socket.ts'
import { listen, rawClient } from '../upstream/sockets.ts'

/** A connection that does not end as it should fails its test rather than hang it. */
const test = (name: string, run: (t: TestContext) => Promise<void>) =>
  unlimited(name, { timeout: 60_000 }, run)

async function make(t: TestContext, names: string) {
  const folder = await mkdtemp(join(tmpdir(), 'stepgate-tls-'))
  t.after(() => rm(folder, { recursive: true }))
  return createCertificate(folder, names)
}

/** An application for `inner.example`, of an authority of its own, that asks who is calling. */
async function serve(t: TestContext) {
  const [own, visitor] = [await make(t, 'DNS:inner.example'), await make(t, 'DNS:stepgate')]
  const asked: (string | false | null)[] = []
  const server = createServer(
    {
      cert: await readFile(own.cert),
      key: await readFile(own.key),
      ca: await readFile(visitor.ca),
      requestCert: true,
    },
    async (incoming, response) => {
      let body = ''
      for await (const chunk of incoming) body += chunk
      response.end(`got ${body}`)
    },
  )
  server.on('secureConnection', ({ servername }) => asked.push(servername))
  server.on('upgrade', (_, socket) => {
    socket.on('error', () => {}).resume()
    socket.end(switching([], closing(1000, 'bye')), 'latin1')
  })
  const port = await listen(t, server)
  const client = { certFile: visitor.cert, keyFile: visitor.key }
  const tls = { caFile: own.ca, serverName: 'inner.example', client }
  return { origin: `https://127.0.0.1:${port}`, tls, asked }
}

async function doorTo(t: TestContext, upstream: string, upstreamTls: UpstreamTls) {
  const env = { STEPGATE_UPSTREAM: upstream, STEPGATE_DEFAULT_ACR: 'public' }
  const door = await openDoor({ env, upstreamTls })
  t.after(() => door.close())
  const host = ['Host: app.example.com', 'Connection: close']
  const post = (framing: string, body: string) =>
    sendRaw(t, door.port, rawRequest('POST /x HTTP/1.1', [...host, framing], body))
  return {
    ...door,
    get: () => sendRaw(t, door.port, rawRequest('GET /x HTTP/1.1', host)),
    sized: () => post('Content-Length: 2', 'hi'),
    chunked: () => post('Transfer-Encoding: chunked', '2\r\nhi\r\n0\r\n\r\n'),
    async shake() {
      const client = rawClient(t, door.port, handshake('/chat', [ORIGIN]))
      return (await client.ended).text
    },
    async readiness() {
      const text = await sendRaw(t, door.port, rawRequest('GET /_stepgate/readyz HTTP/1.1', host))
      return JSON.parse(text.split('\r\n\r\n')[1] ?? '').checks.upstream
    },
  }
}

test('pages, uploads and WebSockets reach an application whose TLS is its own', async (t) => {
  const { origin, tls, asked } = await serve(t)
  const door = await doorTo(t, origin, tls)
  assert.match(await door.get(), /got $/)
  assert.match(await door.sized(), /got hi$/)
  assert.match(await door.chunked(), /got hi$/)
  const text = await door.shake()
  assert.deepEqual(statusesOf(text), [101])
  assert.equal(framesOf(text), closing(1000, 'bye'))
  assert.equal(await door.readiness(), 'ok')
  assert.deepEqual(new Set(asked), new Set(['inner.example']))
})

test('none of them goes to an application that can not show who it is', async (t) => {
  const { origin, tls, asked } = await serve(t)
  const { client, serverName, caFile } = tls
  for (const wrong of [
    { client, serverName },
    { client, caFile },
    { ...tls, caFile: tls.client.certFile },
  ]) {
    const door = await doorTo(t, origin, wrong)
    for (const send of [door.get, door.sized, door.chunked, door.shake]) {
      assert.deepEqual(statusesOf(await send()), [502])
    }
    assert.equal(await door.readiness(), 'unavailable')
  }
  assert.deepEqual(asked, [])
})

test('none of them goes on without the certificate that the application asks for', async (t) => {
  const { origin, tls } = await serve(t)
  const { client, ...rest } = tls
  const door = await doorTo(t, origin, rest)
  for (const send of [door.get, door.sized, door.chunked, door.shake]) {
    assert.deepEqual(statusesOf(await send()), [502])
  }
})

test('a WebSocket opens over TLS at the second address, beside one without', async (t) => {
  const { origin, tls } = await serve(t)
  const down = `http://127.0.0.1:${await freePort()}`
  const door = await doorTo(t, `${down}, ${origin}`, tls)
  for (let count = 0; count < 2; count++) {
    assert.deepEqual(statusesOf(await door.shake()), [101])
    assert.match(await door.chunked(), /got hi$/)
  }
})
