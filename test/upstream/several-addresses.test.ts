import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { HealthEvent } from '../../proxy/upstream/upstream-group.ts'
import { freePort } from '../support/free-port.ts'
import { everything, request, startFront } from './front.ts'
import { listen, rawApplication, rawClient } from './sockets.ts'

const POST = `${request('POST /', 'Content-Length: 4')}body`
const CHUNKS = `${request('POST /', 'Transfer-Encoding: chunked')}4\r\nbody\r\n0\r\n\r\n`

async function named(t: TestContext, name: string, listener?: RequestListener) {
  const seen: string[] = []
  const server = createServer((incoming, response) => {
    incoming.setEncoding('latin1').on('data', (chunk) => seen.push(chunk))
    incoming.on('end', () => {
      seen.push(incoming.method ?? '')
      if (listener) listener(incoming, response)
      else response.end(name)
    })
  })
  return { origin: new URL(`http://127.0.0.1:${await listen(t, server)}`), seen, server }
}

const nowhere = async () => new URL(`http://127.0.0.1:${await freePort()}`)

/** A front of these addresses, with a clock that stands still. */
async function startSeveral(t: TestContext, ...origins: readonly URL[]) {
  const clock = { now: 0 }
  const events: HealthEvent[] = []
  const front = await startFront(t, everything(...origins), {
    now: () => clock.now,
    onHealth: (event) => events.push(event),
  })
  const ask = async (sent = request('GET /')) => {
    const { text } = await rawClient(t, front.port, sent).ended
    return text.split('\r\n\r\n')[1] ?? ''
  }
  return { ...front, clock, events, ask }
}

test('requests are shared by all addresses', async (t) => {
  const [a, b] = [await named(t, 'a'), await named(t, 'b')]
  const { ask } = await startSeveral(t, a.origin, b.origin)
  const answers: string[] = []
  for (let count = 0; count < 4; count++) answers.push(await ask())
  assert.deepEqual(answers, ['a', 'b', 'a', 'b'])
})

test('an address whose answers take long gets fewer requests', async (t) => {
  const release = Promise.withResolvers<void>()
  const slow = await named(t, 'slow', (_, response) => {
    release.promise.then(() => response.end('slow'))
  })
  const quick = await named(t, 'quick')
  const { ask } = await startSeveral(t, slow.origin, quick.origin)
  const first = ask()
  while (slow.seen.length === 0) await new Promise(setImmediate)
  for (let count = 0; count < 6; count++) assert.equal(await ask(), 'quick')
  release.resolve()
  assert.equal(await first, 'slow')
})

test('nobody notices an address that is down, whatever is sent, and it is passed over', async (t) => {
  for (const sent of [request('GET /'), POST, CHUNKS, request('POST /')]) {
    const well = await named(t, 'well')
    const { ask, events, clock } = await startSeveral(t, await nowhere(), well.origin)
    for (let count = 0; count < 5; count++) assert.equal(await ask(sent), 'well')
    assert.deepEqual(
      events.map((event) => event.kind === 'skipped' && event.wait),
      [1000],
    )
    assert.equal(well.seen.includes('body'), sent.includes('body'))
    clock.now = 1000
    for (let count = 0; count < 5; count++) assert.equal(await ask(sent), 'well')
    assert.deepEqual(
      events.map((event) => event.kind === 'skipped' && event.wait),
      [1000, 2000],
    )
  }
})

test('an address that comes back is used again', async (t) => {
  const port = await freePort()
  const well = await named(t, 'well')
  const several = await startSeveral(t, new URL(`http://127.0.0.1:${port}`), well.origin)
  assert.equal(await several.ask(), 'well')
  const server = createServer((_, response) => response.end('back'))
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const answers = new Set()
  for (let count = 0; count < 4; count++) answers.add(await several.ask())
  assert.deepEqual(answers, new Set(['well']))
  several.clock.now = 1000
  for (let count = 0; count < 4; count++) answers.add(await several.ask())
  assert.deepEqual(answers, new Set(['well', 'back']))
  assert.deepEqual(
    several.events.map(({ kind }) => kind),
    ['skipped', 'back'],
  )
})

test('when all are down all are tried, and the failure is told', async (t) => {
  const { ask, outcome } = await startSeveral(t, await nowhere(), await nowhere())
  for (let count = 0; count < 3; count++) {
    assert.equal(await ask(), 'unreachable')
    assert.equal((await outcome()).kind, 'unreachable')
  }
})

test('a GET that got no byte is asked once more elsewhere, a POST that was sent is not', async (t) => {
  const drops = await rawApplication(t, ({ socket }) => socket.destroy())
  const also = await rawApplication(t, ({ socket }) => socket.destroy())
  const well = await named(t, 'well')
  for (const [sent, answer] of [
    [request('GET /'), 'well'],
    [request('DELETE /'), 'well'],
    [request('POST /'), 'unreachable'],
    [POST.replace('POST', 'PUT'), 'unreachable'],
    [CHUNKS, 'unreachable'],
  ] as const) {
    const { ask } = await startSeveral(t, drops.origin, well.origin)
    assert.equal(await ask(sent), answer, sent)
  }
  const { ask } = await startSeveral(t, drops.origin, also.origin, well.origin)
  assert.equal(await ask(), 'unreachable')
})

test('a request that got some bytes, or only waited in vain, is not asked again', async (t) => {
  const well = await named(t, 'well')
  const half = await rawApplication(t, ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nX'))
  const first = await startSeveral(t, half.origin, well.origin)
  assert.equal(await first.ask(), 'invalid-response')
  assert.equal(await first.ask(), 'well')
  assert.equal(first.events.length, 1)

  const silent = await rawApplication(t, () => {})
  const front = await startFront(t, everything(silent.origin, well.origin), { headersTimeout: 50 })
  const { text } = await rawClient(t, front.port, request('GET /')).ended
  assert.match(text, /timed-out$/)
  assert.deepEqual(well.seen, ['GET'])
})

test('an answer of any status, and one that is cut off, is the word of an address that is well', async (t) => {
  const failing = await named(t, 'a', (_, response) =>
    response.writeHead(503, { 'Content-Length': 4 }).end('busy'),
  )
  const cut = await rawApplication(t, ({ socket }) =>
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
  )
  const { ask, events } = await startSeveral(t, failing.origin, cut.origin)
  const answers: string[] = []
  for (let count = 0; count < 4; count++) answers.push(await ask())
  assert.deepEqual(answers, ['busy', 'half', 'busy', 'half'])
  assert.deepEqual(events, [])
})

test('an answer that the client could not be told does not speak against its address', async (t) => {
  const [a, b] = [await named(t, 'a'), await named(t, 'b')]
  const { ask, events, server, outcome } = await startSeveral(t, a.origin, b.origin)
  server.once('request', (_, outgoing) => {
    const { writeHead } = outgoing
    // As node:http2 does for a status of 600.
    outgoing.writeHead = () => {
      outgoing.writeHead = writeHead
      throw new RangeError('Invalid status code: 600')
    }
  })
  assert.equal(await ask(), 'invalid-response')
  assert.equal((await outcome()).kind, 'invalid-response')
  assert.deepEqual(events, [])
})

test('what a client that left had asked for is no longer under way', async (t) => {
  const arrived = Promise.withResolvers<void>()
  const silent = await rawApplication(t, () => arrived.resolve())
  const well = await named(t, 'well')
  const { port, outcome, ask } = await startSeveral(t, silent.origin, well.origin)
  const client = rawClient(t, port, request('GET /'))
  await arrived.promise
  client.socket.destroy()
  assert.equal((await outcome()).kind, 'client-gone')
  // Both have nothing under way now, so they come in turn.
  assert.equal(await ask(), 'well')
  const next = rawClient(t, port, request('GET /turn'))
  while (!silent.connections.some(({ received }) => received.includes('/turn'))) {
    await new Promise(setImmediate)
  }
  next.socket.destroy()
})

test('nor what a client asked for that left just when its address failed', async (t) => {
  let works = false
  const a = await named(t, 'a', ({ socket }, response) => {
    if (works) response.end('a')
    else socket.destroy()
  })
  const b = await named(t, 'b')
  const left: ServerResponse[] = []
  const clock = { now: 0 }
  const front = await startFront(t, everything(a.origin, b.origin), {
    now: () => clock.now,
    // Before the request is sent to the other address.
    onHealth: ({ kind }) => kind === 'skipped' && process.nextTick(() => left[0]?.emit('close')),
  })
  front.server.on('request', (_, outgoing) => left.push(outgoing))
  const ask = async () => (await rawClient(t, front.port, request('GET /')).ended).text.slice(-1)
  rawClient(t, front.port, request('GET /'))
  assert.equal((await front.outcome()).kind, 'client-gone')
  works = true
  clock.now = 1000
  assert.deepEqual([await ask(), await ask(), await ask(), await ask()], ['b', 'a', 'b', 'a'])
})

test('a socket and an address share too, and a check names those that take no connection', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'stepgate-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'app.sock')
  await listen(
    t,
    createServer((_, response) => response.end('socket')),
    path,
  )
  const well = await named(t, 'well')
  const down = await nowhere()
  const socket = { kind: 'unix', path } as const
  const front = await startFront(t, everything(socket, well.origin))
  const answers = new Set()
  for (let count = 0; count < 2; count++) {
    answers.add((await rawClient(t, front.port, request('GET /')).ended).text.slice(-6))
  }
  assert.deepEqual(answers, new Set(['socket', '\r\nwell']))
  assert.deepEqual(await front.forwarder.check(), { isWell: true, failures: [] })

  const partly = await startFront(t, everything(socket, down))
  const { isWell, failures } = await partly.forwarder.check()
  assert.deepEqual([isWell, failures.map(({ name }) => name)], [true, [down.origin]])
  const gone = await startFront(t, [...everything(socket), ...everything(down)])
  assert.equal((await gone.forwarder.check()).isWell, false)
})
