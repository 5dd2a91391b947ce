import assert from 'node:assert/strict'
import { type TestContext, test as unlimited } from 'node:test'
import { openDoor } from '../support/door.ts'
import { freePort } from '../support/free-port.ts'
import { rawRequest, sendRaw, statusesOf } from '../support/raw-exchange.ts'
import { until } from '../support/until.ts'
import { framesOf, handshake, ORIGIN, switchingFor } from '../support/web-socket.ts'
import { rawApplication, rawClient } from '../upstream/sockets.ts'

/** A connection that does not end as it should fails its test rather than hang it. */
const test = (name: string, run: (t: TestContext) => Promise<void>) =>
  unlimited(name, { timeout: 60_000 }, run)

/** An application that says its name to handshakes and requests, but to `/held` nothing. */
async function named(t: TestContext, name: string) {
  const { origin, connections } = await rawApplication(t, ({ socket, received }) => {
    const last = received.slice(received.lastIndexOf('GET '))
    if (!last.startsWith('GET ') || !last.endsWith('\r\n\r\n') || last.startsWith('GET /held'))
      return
    if (/^upgrade:/im.test(last)) socket.write(`${switchingFor(last)}${name}`, 'latin1')
    else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${name}`)
  })
  return { origin: origin.origin, connections }
}

async function doorTo(t: TestContext, upstream: string) {
  const env = { STEPGATE_UPSTREAM: upstream, STEPGATE_DEFAULT_ACR: 'public' }
  const door = await openDoor({ env })
  t.after(() => door.close())
  const hello = (path: string, changes = {}) => handshake(path, [ORIGIN], changes)
  return {
    ...door,
    start: (path: string) => rawClient(t, door.port, hello(path)),
    /** Opens a WebSocket; answers who has said its name over it. */
    async open(path: string, changes = {}) {
      const client = rawClient(t, door.port, hello(path, changes))
      return framesOf(await client.until((text) => /\r\n\r\n\w+$/.test(text)))
    },
    async ask(path = '/') {
      const headers = ['Host: app.example.com', 'Connection: close']
      const text = await sendRaw(t, door.port, rawRequest(`GET ${path} HTTP/1.1`, headers))
      return text.split('\r\n\r\n')[1]
    },
  }
}

test('a handshake goes to the application that its path and host are for', async (t) => {
  const [app, api, shop] = [await named(t, 'app'), await named(t, 'api'), await named(t, 'shop')]
  const door = await doorTo(
    t,
    `${app.origin}; /api → ${api.origin}; shop.example.com → ${shop.origin}`,
  )
  assert.equal(await door.open('/chat'), 'app')
  assert.equal(await door.open('/API/chat?x=1'), 'api')
  assert.equal(await door.open('/api/chat', { Host: 'shop.example.com' }), 'shop')
  assert.match(api.connections[0]?.received ?? '', /^GET \/API\/chat\?x=1 HTTP\/1.1\r\n/)
})

test('a handshake that is for no application is answered so, and is the last on its connection', async (t) => {
  const api = await named(t, 'api')
  const door = await doorTo(t, `/api → ${api.origin}`)
  const { text } = await door.start('/chat').ended
  assert.deepEqual(statusesOf(text), [404])
  assert.equal(JSON.parse(text.split('\r\n\r\n')[1] ?? '').error, 'no_upstream')
  assert.equal(api.connections.length, 0)
})

test('a WebSocket opens at the second address while the first is down, and requests know of it', async (t) => {
  const well = await named(t, 'well')
  const down = `http://127.0.0.1:${await freePort()}`
  const door = await doorTo(t, `${down}, ${well.origin}`)
  for (let count = 0; count < 3; count++) assert.equal(await door.open('/chat'), 'well')
  for (let count = 0; count < 3; count++) assert.equal(await door.ask(), 'well')
  const passedOver = door.logs().filter(({ msg }) => String(msg).includes('passed over'))
  assert.deepEqual(
    passedOver.map(({ upstream, code }) => [upstream, code]),
    [[down, 'ECONNREFUSED']],
  )
  await until(async () => door.logs('request').length >= 3)
  assert.ok(door.logs('request').every(({ upstream }) => upstream === well.origin))
})

test('an address that hangs up on handshakes is asked elsewhere', async (t) => {
  const well = await named(t, 'well')
  const rude = await rawApplication(t, ({ socket }) => socket.destroy())
  const door = await doorTo(t, `${rude.origin.origin}, ${well.origin}`)
  assert.equal(await door.open('/chat'), 'well')
  assert.equal(rude.connections.length, 1)
  assert.equal(await door.open('/chat'), 'well')
  assert.equal(rude.connections.length, 1)
})

test('an open WebSocket keeps no requests away from its address', async (t) => {
  const [a, b] = [await named(t, 'a'), await named(t, 'b')]
  const door = await doorTo(t, `${a.origin}, ${b.origin}`)
  for (const name of ['a', 'b', 'a', 'b']) assert.equal(await door.open('/chat'), name)
  assert.equal(await door.open('/chat'), 'a')
  for (const name of ['b', 'a', 'b', 'a']) assert.equal(await door.ask(), name)
})

test('a handshake that is not answered yet counts as under way, until its client leaves', async (t) => {
  const [a, b] = [await named(t, 'a'), await named(t, 'b')]
  const door = await doorTo(t, `${a.origin}, ${b.origin}`)
  const waiting = door.start('/held')
  await until(async () => a.connections.length === 1)
  for (let count = 0; count < 3; count++) assert.equal(await door.ask(), 'b')
  waiting.socket.destroy()
  await waiting.ended
  const [held] = a.connections
  await until(async () => held?.socket.destroyed === true)
  // Each is first in turn.
  assert.deepEqual(new Set([await door.ask(), await door.ask()]), new Set(['a', 'b']))
})

test('an address whose applications can not shake hands goes on with requests', async (t) => {
  const { origin } = await rawApplication(t, ({ socket, received }) => {
    if (/^upgrade:/im.test(received)) {
      socket.end('HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    } else if (received.endsWith('\r\n\r\n')) {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndumb')
    }
  })
  const well = await named(t, 'well')
  const door = await doorTo(t, `${origin.origin}, ${well.origin}`)
  assert.deepEqual(statusesOf((await door.start('/chat').ended).text), [502])
  const failed = door.logs().find(({ msg }) => msg === 'The application did not answer')
  assert.deepEqual([failed?.upstream, failed?.code], [origin.origin, 'websocket_handshake'])
  const answers = [await door.ask(), await door.ask(), await door.ask(), await door.ask()]
  assert.deepEqual(answers, ['well', 'dumb', 'well', 'dumb'])
})
