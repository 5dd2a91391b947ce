import assert from 'node:assert/strict'
import { type TestContext, test as unlimited } from 'node:test'
import type { Context } from '../../proxy/context.ts'
import type { Session } from '../../proxy/session/session.ts'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'
import '../support/short-timers.ts'
import { type Door, type DoorOptions, openDoor } from '../support/door.ts'
import { readExposition } from '../support/exposition.ts'
import { rawRequest, sendRaw } from '../support/raw-exchange.ts'
import { until } from '../support/until.ts'
import { accepting, closing, frame, framesOf, handshake, ORIGIN } from '../support/web-socket.ts'
import { rawApplication, rawClient } from '../upstream/sockets.ts'

/** A connection that does not end as it should fails its test rather than hang it. */
const test = (name: string, run: (t: TestContext) => Promise<void>) =>
  unlimited(name, { timeout: 60_000 }, run)

const RULES = 'public /public; twilio_sms /payroll max_age=15m; twilio_sms /pay; basic /**'
const MINUTE = 60_000
const ENDED = closing(4401, 'Session ended')

async function start(t: TestContext, options: DoorOptions = {}) {
  const { origin, connections } = await rawApplication(t, accepting())
  const env = { STEPGATE_UPSTREAM: origin.origin, STEPGATE_RULES: RULES, ...options.env }
  const door = await openDoor({ ...options, env })
  t.after(() => door.close())
  async function open(path = '/chat', cookie?: string) {
    const before = connections.length
    const headers = [ORIGIN, cookie ?? (await door.cookieOf())]
    const client = rawClient(t, door.port, handshake(path, headers))
    await client.until((text) => text.includes('101 Switching'))
    await until(async () => door.context.underWay.webSockets() > before)
    const application = connections[before]
    assert.ok(application)
    return { client, application }
  }
  return { door, open }
}

const proved = (now: number): Partial<Session> => ({
  acr: 'twilio_sms',
  amr: ['pwd', 'sms', 'otp', 'mfa'],
  otpTime: now,
})

/** The client was told, or its connection ended; the application's ends, and hears no more. */
async function assertEnded(
  { client, application }: Awaited<ReturnType<Awaited<ReturnType<typeof start>>['open']>>,
  said = ENDED,
) {
  const heard = application.received
  const text = await client
    .until((got) => framesOf(got).length >= said.length)
    .catch(() => client.received())
  assert.equal(framesOf(text), said)
  client.socket.write(frame('too late', { masked: true }), 'latin1')
  const { text: all } = await client.ended
  assert.equal(framesOf(all), said)
  await until(async () => application.socket.destroyed)
  assert.equal(application.received, heard)
}

const reasons = (door: Door) => door.logs('websocket.closed').map(({ reason }) => reason)

test('none begins for a session that ends while its cookie is written again', async (t) => {
  const { origin, connections } = await rawApplication(t, accepting())
  const ending = (context: Context): Context => {
    const seal: Context['sessions']['seal'] = async (session, now) => {
      await context.revocations.revoke(session.family, now + MINUTE)
      return context.sessions.seal(session, now)
    }
    return { ...context, sessions: { ...context.sessions, seal } }
  }
  const env = { STEPGATE_UPSTREAM: origin.origin, STEPGATE_RULES: RULES }
  const door = await openDoor({ env, change: ending })
  t.after(() => door.close())
  const cookie = await door.cookieOf({ seenAt: door.now() - 10 * MINUTE })
  const client = rawClient(t, door.port, handshake('/chat', [ORIGIN, cookie]))
  await client.until((text) => text.includes('\r\n\r\n'))
  assert.match(client.received(), /^HTTP\/1\.1 401 /)
  assert.equal(connections.length, 0)
})

test('a WebSocket ends with its session: by a sign-out of the person or a new id', async (t) => {
  for (const id of ['family-of-alice', 'session-of-alice']) {
    const { door, open } = await start(t)
    const cookie = await door.cookieOf()
    const other = await door.cookieOf({ id: 'b', family: 'b', subject: 'bob' })
    const [mine, too, bobs, nobodys] = [
      await open('/chat', cookie),
      await open('/public', cookie),
      await open('/chat', other),
      await open('/public', 'X-Nothing: 1'),
    ]
    const revoked = door.context.revocations.revoke(id, door.now() + MINUTE)
    assert.deepEqual(reasons(door), ['revoked', 'revoked'])
    await revoked
    await Promise.all([assertEnded(mine), assertEnded(too)])
    await until(async () => door.context.underWay.webSockets() === 2)
    for (const { client, application } of [bobs, nobodys]) {
      application.socket.write(frame('still here'), 'latin1')
      await client.until((text) => framesOf(text) === frame('still here'))
    }
    const [line] = door.logs('websocket.closed')
    assert.equal(line?.subject, 'subject-of-alice')
    assert.equal(line?.client, '127.0.0.1')
    assert.ok(door.logs('request').some(({ request_id }) => request_id === line?.request_id))
  }
})

test('a revocation at one of several ends the WebSockets of all, by no timer of more than a second', async (t) => {
  const overrides = { store: createMemoryStore() }
  const one = await start(t, { overrides })
  const other = await start(t, { overrides })
  const pairs = [await one.open(), await other.open()]
  const { revocations } = one.door.context
  await revocations.revoke('family-of-alice', one.door.now() + MINUTE)
  await Promise.all(pairs.map((pair) => assertEnded(pair)))
  assert.deepEqual([reasons(one.door), reasons(other.door)], [['revoked'], ['revoked']])
})

test('how many are open is among the metrics', async (t) => {
  const { door, open } = await start(t)
  const told = async () => {
    const text = await door.context.meter?.exposition.text()
    return readExposition(text ?? '').value('stepgate_websockets')
  }
  assert.equal(await told(), 0)
  const [first] = [await open(), await open()]
  assert.equal(await told(), 2)
  first?.client.socket.destroy()
  await until(async () => (await told()) === 1)
})

test('a WebSocket ends by the idle limit, which what it carries does not prolong', async (t) => {
  const { door, open } = await start(t)
  const pair = await open()
  door.turnClock(59 * MINUTE)
  const said = frame('spoken', { masked: true })
  pair.client.socket.write(said, 'latin1')
  await until(async () => pair.application.received.endsWith(said))
  assert.equal(door.context.underWay.webSockets(), 1)
  door.turnClock(MINUTE)
  await assertEnded(pair)
  assert.deepEqual(reasons(door), ['expired'])
})

test('requests to another process prolong it, which is looked up before it ends', async (t) => {
  const store = createMemoryStore()
  const looked: string[] = []
  const { get } = store
  store.get = (key, now) => {
    looked.push(key)
    return get(key, now)
  }
  const [here, there] = [
    await start(t, { overrides: { store } }),
    await start(t, { overrides: { store } }),
  ]
  const cookie = await here.door.cookieOf()
  const pair = await here.open('/chat', cookie)
  for (const { door } of [here, there]) door.turnClock(59 * MINUTE)
  await there.open('/chat', cookie)
  assert.deepEqual(looked, [])
  here.door.turnClock(2 * MINUTE)
  await until(async () => looked.length === 1)
  const said = frame('spoken', { masked: true })
  pair.client.socket.write(said, 'latin1')
  await until(async () => pair.application.received.endsWith(said))
  here.door.turnClock(50 * MINUTE)
  await here.door.context.revocations.revoke('nobody', here.door.now() + MINUTE)
  assert.deepEqual([reasons(here.door), looked.length], [[], 1])
  here.door.turnClock(8 * MINUTE)
  await assertEnded(pair)
  assert.deepEqual([reasons(here.door), looked.length], [['expired'], 2])
})

test('requests prolong it, by whatever process their cookie was written, until the session has lived', async (t) => {
  const { door, open } = await start(t)
  const createdAt = door.now()
  const pair = await open()
  const ask = (cookie: string) => {
    const headers = ['Host: app.example.com', 'Connection: close', cookie]
    return sendRaw(t, door.port, rawRequest('GET /_stepgate/session HTTP/1.1', headers))
  }
  /** One that goes through the gate, as far as it matters here: the application never answers. */
  const use = async (cookie: string) => {
    const client = rawClient(
      t,
      door.port,
      rawRequest('GET /chat HTTP/1.1', ['Host: app.example.com', cookie]),
    )
    await client.until((text) => text.includes('HTTP/1.1 '))
    client.socket.destroy()
  }
  let cookie = await door.cookieOf({ createdAt, seenAt: createdAt })
  for (let minutes = 0; minutes < 11 * 60; minutes += 30) {
    door.turnClock(30 * MINUTE)
    await use(cookie)
    cookie = await door.cookieOf({ createdAt, seenAt: door.now() })
  }
  assert.match(await ask(cookie), /200 OK/)
  assert.deepEqual(reasons(door), [])
  door.turnClock(30 * MINUTE)
  await use(cookie)
  door.turnClock(30 * MINUTE)
  await assertEnded(pair)
  assert.deepEqual(reasons(door), ['expired'])
})

test('a request that writes no cookie prolongs it too, by what its cookie says', async (t) => {
  const { door, open } = await start(t)
  const createdAt = door.now()
  const pair = await open('/chat', await door.cookieOf({ createdAt, seenAt: createdAt }))
  door.turnClock(59 * MINUTE)
  // Written by another process.
  const cookie = await door.cookieOf({ createdAt, seenAt: door.now() })
  const headers = ['Host: app.example.com', cookie]
  const client = rawClient(t, door.port, rawRequest('GET /chat HTTP/1.1', headers))
  await client.until((text) => text.includes('HTTP/1.1 '))
  client.socket.destroy()
  door.turnClock(59 * MINUTE)
  await door.context.revocations.revoke('nobody', door.now() + MINUTE)
  assert.deepEqual(reasons(door), [])
  door.turnClock(MINUTE)
  await assertEnded(pair)
  assert.deepEqual(reasons(door), ['expired'])
})

test('a WebSocket ends when the code is too old for the rule that let it in', async (t) => {
  const { door, open } = await start(t)
  const now = door.now()
  const cookie = await door.cookieOf({ ...proved(now), createdAt: now })
  const strict = await open('/payroll', cookie)
  const lax = await open('/pay', cookie)
  door.turnClock(15 * MINUTE + 1)
  await assertEnded(strict)
  assert.deepEqual(reasons(door), ['max_age'])
  lax.application.socket.write(frame('still here'), 'latin1')
  await lax.client.until((text) => framesOf(text) === frame('still here'))
})

test('an id that is replaced while the application thinks about the handshake lets nothing pass', async (t) => {
  const asked = Promise.withResolvers<() => void>()
  const { origin, connections } = await rawApplication(t, (connection) =>
    asked.resolve(() => accepting(frame('secret'))(connection)),
  )
  const door = await openDoor({
    env: { STEPGATE_UPSTREAM: origin.origin, STEPGATE_RULES: RULES },
  })
  t.after(() => door.close())
  const hello = handshake('/chat', [ORIGIN, await door.cookieOf()])
  const client = rawClient(t, door.port, hello + frame('hasty', { masked: true }))
  const accept = await asked.promise
  await door.context.revocations.revoke('session-of-alice', door.now() + MINUTE)
  accept()
  const { text } = await client.ended
  assert.equal(framesOf(text), ENDED)
  assert.doesNotMatch(connections[0]?.received ?? '', /hasty/)
})

const MIDDLE: Record<string, { said: string; told: boolean }> = {
  'between two frames': { said: frame('one') + frame('two'), told: true },
  'within a message, between its frames': { said: frame('one', { fin: false }), told: true },
  'in the head of a frame': { said: frame('one') + frame('two').slice(0, 1), told: false },
  'in the length of a frame': { said: frame('x'.repeat(300)).slice(0, 3), told: false },
  'in a frame': { said: frame('x'.repeat(70_000)).slice(0, 69_000), told: false },
  'after a close frame of the application': { said: closing(1000, 'Bye'), told: false },
}
for (const [name, { said, told }] of Object.entries(MIDDLE)) {
  test(`${name} the client ${told ? 'is told' : 'sees its connection end'}`, async (t) => {
    const { door, open } = await start(t)
    const { client, application } = await open()
    application.socket.write(said, 'latin1')
    await client.until((text) => framesOf(text) === said)
    await door.context.revocations.revoke('family-of-alice', door.now() + MINUTE)
    const { text } = await client.ended
    assert.equal(framesOf(text), told ? said + ENDED : said)
    await until(async () => application.socket.destroyed)
  })
}

test('a client that does not read, or does not go, is cut', async (t) => {
  const { door, open } = await start(t)
  const { client, application } = await open()
  client.socket.pause()
  const piece = frame('x'.repeat(1_000_000))
  for (let count = 0; count < 20; count++) application.socket.write(piece, 'latin1')
  await until(async () => application.socket.writableLength > 0)
  await door.context.revocations.revoke('family-of-alice', door.now() + MINUTE)
  await until(async () => door.context.underWay.webSockets() === 0)
  await until(async () => application.socket.destroyed)
})

test('a stop says so to all, and to who comes in just then, and waits for nobody', async (t) => {
  const asked = Promise.withResolvers<() => void>()
  const { origin } = await rawApplication(t, (connection) => {
    if (connection.received.startsWith('GET /slow')) asked.resolve(() => accepting()(connection))
    else accepting()(connection)
  })
  const door = await openDoor({ env: { STEPGATE_UPSTREAM: origin.origin, STEPGATE_RULES: RULES } })
  const cookie = await door.cookieOf()
  const open = async (path: string) => rawClient(t, door.port, handshake(path, [ORIGIN, cookie]))
  const client = await open('/chat')
  await client.until((text) => text.includes('101 Switching'))
  const inFrame = await open('/chat')
  await inFrame.until((text) => text.includes('101 Switching'))
  // One that never goes away by itself.
  inFrame.socket.pause()
  const late = await open('/slow')
  const accept = await asked.promise
  const closed = door.close()
  assert.equal(framesOf((await client.ended).text), closing(1001, 'Going away'))
  accept()
  assert.equal(framesOf((await late.ended).text), closing(1001, 'Going away'))
  await closed
  assert.deepEqual(reasons(door), [])
})
