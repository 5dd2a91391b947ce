import assert from 'node:assert/strict'
import { type TestContext, test as unlimited } from 'node:test'
import { endOfSid, endOfSubject } from '../../proxy/session/ended-sessions.ts'
import type { Session } from '../../proxy/session/session.ts'
import { type Door, type DoorOptions, openDoor } from '../support/door.ts'
import { answerOf, connectHttp2 } from '../support/http2-client.ts'
import { headerOf, rawRequest, sendRaw } from '../support/raw-exchange.ts'
import { openTlsDoor } from '../support/tls-door.ts'
import { until } from '../support/until.ts'
import { KEY, ORIGIN } from '../support/web-socket.ts'
import { type RawConnection, rawApplication, rawClient } from '../upstream/sockets.ts'

/** A request that does not end as it should fails its test rather than hang it. */
const test = (name: string, run: (t: TestContext) => Promise<void>) =>
  unlimited(name, { timeout: 60_000 }, run)

const MINUTE = 60_000
const RULES =
  'public /public; twilio_sms /pay/** max_age=15m; basic /fresh signed_in_within=15m; basic /**'
const EVENTS = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n'
const DOWNLOAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\nContent-Length: 1000\r\n'

/** What the application says at once, by path; all else waits. */
const BEGINS: Readonly<Record<string, string>> = {
  '/events': `${EVENTS}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n`,
  '/public': `${EVENTS}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n`,
  '/pay/events': `${EVENTS}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n`,
  '/fresh': `${EVENTS}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n`,
  '/download': `${DOWNLOAD}\r\nfirst`,
  '/pay/download': `${DOWNLOAD}\r\nfirst`,
}

const HANDSHAKE = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  `Sec-WebSocket-Key: ${KEY}`,
  'Sec-WebSocket-Version: 13',
]

type Open = {
  readonly client: ReturnType<typeof rawClient>
  readonly application: RawConnection
}

async function start(t: TestContext, options: DoorOptions = {}) {
  const answered = new Set<RawConnection>()
  const { origin, connections } = await rawApplication(t, (connection) => {
    const path = /^\w+ (\S+) /.exec(connection.received)?.[1] ?? ''
    const begin = BEGINS[path]
    if (begin === undefined || answered.has(connection)) return
    answered.add(connection)
    connection.socket.write(begin, 'latin1')
  })
  const env = { STEPGATE_UPSTREAM: origin.origin, STEPGATE_RULES: RULES }
  const door = await openDoor({ env, ...options })
  t.after(() => door.close())

  /** Resolves when the application has it, and the client what the application said. */
  async function open(path: string, cookie: string, lines: readonly string[] = []): Promise<Open> {
    const before = connections.length
    const [line, headers, body] =
      path === '/upload'
        ? ['POST /upload HTTP/1.1', ['Content-Length: 1000'], 'begun']
        : [`GET ${path} HTTP/1.1`, [], '']
    const all = ['Host: app.example.com', cookie, ...headers, ...lines]
    const client = rawClient(t, door.port, rawRequest(line, all, body))
    await until(async () => connections.length > before)
    const application = connections[before] ?? assert.fail()
    await until(async () => application.received.endsWith(body || '\r\n\r\n'))
    if (path in BEGINS) await client.until((text) => text.includes('first'))
    return { client, application }
  }
  return { door, open }
}

/** Cut in the middle on both sides. */
async function assertCut({ client, application }: Open): Promise<void> {
  const { text } = await client.ended
  assert.ok(text.includes('first'))
  assert.doesNotMatch(text, /\r\n0\r\n/)
  await until(async () => application.socket.destroyed)
}

/** Still there, both ways. */
async function assertGoesOn({ client, application }: Open): Promise<void> {
  application.socket.write('5\r\nlater\r\n')
  await client.until((text) => text.includes('later'))
}

const reasons = (door: Door) => door.logs('request.cut').map(({ reason }) => reason)
const end = (door: Door, id: string) => door.context.revocations.revoke(id, door.now() + MINUTE)

test('a stream ends with its session, whichever way that ends, and nobody else’s does', async (t) => {
  const { door, open } = await start(t)
  const bobs = await open('/events', await door.cookieOf({ family: 'b', subject: 'bob', sid: 's' }))
  const nobodys = await open('/public', 'X-Nothing: 1')
  const ends = [
    'family-of-alice',
    endOfSid('sid-of-alice'),
    endOfSubject('subject-of-alice', door.now()),
  ]
  for (const [index, ended] of ends.entries()) {
    const family = index === 0 ? 'family-of-alice' : `family-${index}`
    const cookie = await door.cookieOf({ family, sid: `sid-of-${index === 1 ? 'alice' : index}` })
    const streams = [
      await open('/events', cookie),
      await open('/download', cookie),
      await open('/public', cookie),
    ]
    const before = reasons(door).length
    await end(door, ended)
    assert.deepEqual(reasons(door).slice(before), ['revoked', 'revoked', 'revoked'])
    await Promise.all(streams.map(assertCut))
  }
  await assertGoesOn(bobs)
  await assertGoesOn(nobodys)
  const [line] = door.logs('request.cut')
  assert.equal(line?.subject, 'subject-of-alice')
  assert.equal(line?.client, '127.0.0.1')
  assert.ok(door.logs('request').some(({ request_id }) => request_id === line?.request_id))
})

test('what another process has ended is known by way of the store', async (t) => {
  const { door, open } = await start(t)
  const stream = await open('/events', await door.cookieOf({ sid: 'sid-of-alice' }))
  await door.context.store.revoke(endOfSid('sid-of-alice'), door.now() + MINUTE)
  await assertCut(stream)
})

test('who still waits for an answer is told to sign in, and the application hears no more', async (t) => {
  const { door, open } = await start(t)
  const cookie = await door.cookieOf()
  const script = await open('/poll', cookie)
  const person = await open('/poll?page', cookie, ['Sec-Fetch-Mode: navigate'])
  const upload = await open('/upload', cookie)
  const socket = await open('/chat', cookie, [ORIGIN, ...HANDSHAKE])
  await end(door, 'family-of-alice')
  for (const { client, application } of [script, person, upload, socket]) {
    await client.until((text) => text.includes('\r\n\r\n'))
    await until(async () => application.socket.destroyed)
  }
  assert.match(script.client.received(), /^HTTP\/1\.1 401 .*"sign_in_required"/s)
  assert.match(person.client.received(), /^HTTP\/1\.1 302 /)
  assert.match(headerOf(person.client.received(), 'Location') ?? '', /^https:\/\/login\.example/)
  const { text } = await upload.client.ended
  assert.match(text, /^HTTP\/1\.1 401 /)
  assert.equal(headerOf(text, 'Connection'), 'close')
  assert.match((await socket.client.ended).text, /^HTTP\/1\.1 401 /)
})

test('a step-up ends no request that began before it', async (t) => {
  const { door, open } = await start(t)
  const stream = await open('/events', await door.cookieOf())
  const download = await open('/download', await door.cookieOf())
  await end(door, 'session-of-alice')
  await assertGoesOn(stream)
  await assertGoesOn(download)
  assert.deepEqual(reasons(door), [])
})

test('a session that ends while its cookie is written again reaches no application', async (t) => {
  const sealing = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  const { door } = await start(t, {
    change: (context) => ({
      ...context,
      sessions: {
        ...context.sessions,
        async seal(...asked) {
          sealing.resolve()
          await goOn.promise
          return context.sessions.seal(...asked)
        },
      },
    }),
  })
  const now = door.now()
  const cookie = await door.cookieOf({ createdAt: now - 30 * MINUTE, seenAt: now - 30 * MINUTE })
  const headers = ['Host: app.example.com', cookie]
  const client = rawClient(t, door.port, rawRequest('GET /events HTTP/1.1', headers))
  await sealing.promise
  await end(door, 'family-of-alice')
  goOn.resolve()
  assert.match(await client.until((text) => text.includes('\r\n\r\n')), /^HTTP\/1\.1 401 /)
})

test('a stream is no activity: it ends by the idle limit, unless requests prolong the session', async (t) => {
  const { door, open } = await start(t)
  const createdAt = door.now()
  const cookieNow = () => door.cookieOf({ createdAt, seenAt: door.now() })
  const seenAt = createdAt - 30 * MINUTE
  const stream = await open('/events', await door.cookieOf({ createdAt: seenAt, seenAt }))
  const transfers = [
    await open('/download', await cookieNow()),
    await open('/upload', await cookieNow()),
    await open('/poll', await cookieNow()),
  ]
  door.turnClock(59 * MINUTE)
  const later = await open('/events', await cookieNow())
  door.turnClock(59 * MINUTE)
  await end(door, 'nobody')
  for (const each of [stream, later]) await assertGoesOn(each)
  door.turnClock(2 * MINUTE)
  await Promise.all([stream, later].map(assertCut))
  assert.deepEqual(reasons(door), ['expired', 'expired'])
  for (const { application } of transfers) assert.equal(application.socket.destroyed, false)
})

test('what comes to an end by itself may outlast the idle limit, but not the session’s whole life', async (t) => {
  const { door, open } = await start(t)
  const now = door.now()
  const download = await open('/download', await door.cookieOf())
  door.turnClock(12 * 60 * MINUTE - MINUTE)
  await end(door, 'nobody')
  await assertGoesOn(download)
  door.turnClock(MINUTE + door.now() - now)
  await assertCut(download)
  assert.deepEqual(reasons(door), ['expired'])
})

test('a stream ends when the code is too old for its rule; a download was judged when it began', async (t) => {
  const { door, open } = await start(t)
  const now = door.now()
  const proved: Partial<Session> = {
    acr: 'twilio_sms',
    amr: ['pwd', 'sms', 'otp', 'mfa'],
    otpTime: now,
    createdAt: now,
  }
  const cookie = await door.cookieOf(proved)
  const stream = await open('/pay/events', cookie)
  const lax = await open('/events', cookie)
  const download = await open('/pay/download', cookie)
  door.turnClock(15 * MINUTE + 1)
  await assertCut(stream)
  assert.deepEqual(reasons(door), ['max_age'])
  await assertGoesOn(lax)
  await assertGoesOn(download)
})

test('a stream ends when the sign-in is too old for its rule', async (t) => {
  const { door, open } = await start(t)
  const now = door.now()
  const cookie = await door.cookieOf({ authTime: now, authTimeGiven: true, createdAt: now })
  const stream = await open('/fresh', cookie)
  const lax = await open('/events', cookie)
  // The provider's clock may be a minute behind.
  door.turnClock(16 * MINUTE + 1)
  await assertCut(stream)
  assert.deepEqual(reasons(door), ['max_age'])
  await assertGoesOn(lax)
})

test('pages of a session are not kept by browsers, unless the configuration says so', async (t) => {
  for (const [pages, added] of [
    ['forget', 'no-store'],
    ['keep', undefined],
  ] as const) {
    const { origin } = await rawApplication(t, ({ socket }) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    )
    const env = {
      STEPGATE_UPSTREAM: origin.origin,
      STEPGATE_RULES: RULES,
      STEPGATE_SESSION_PAGES: pages,
    }
    const door = await openDoor({ env })
    t.after(() => door.close())
    const kept = async (path: string, lines: readonly string[]) => {
      const headers = ['Host: app.example.com', 'Connection: close', ...lines]
      const text = await sendRaw(t, door.port, rawRequest(`GET ${path} HTTP/1.1`, headers))
      assert.match(text, /^HTTP\/1\.1 200 /)
      return headerOf(text, 'Cache-Control')
    }
    const cookie = await door.cookieOf()
    assert.equal(await kept('/', [cookie, 'Sec-Fetch-Mode: navigate']), added)
    assert.equal(await kept('/', [cookie, 'Sec-Fetch-Mode: no-cors']), undefined)
    assert.equal(await kept('/public', ['Sec-Fetch-Mode: navigate']), undefined)
  }
})

test('over HTTP/2 only the streams of that session are cut', async (t) => {
  const { door } = await openTlsDoor(t, {}, (_incoming, outgoing) => {
    outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
    outgoing.write('first')
  })
  const session = await connectHttp2(t, door.port)
  const open = async (cookie: string) => {
    const headers = { ':authority': 'app.example.com', ':path': '/events', cookie }
    const stream = session.request(headers)
    const answer = answerOf(stream)
    let body = ''
    stream.on('data', (piece) => {
      body += piece
    })
    await until(async () => body === 'first')
    return { stream, answer }
  }
  const cookie = (await door.cookieOf()).replace('Cookie: ', '')
  const bobs = (await door.cookieOf({ family: 'b', subject: 'bob' })).replace('Cookie: ', '')
  const mine = await open(cookie)
  const other = await open(bobs)
  await end(door, 'family-of-alice')
  const { body, reset } = await mine.answer
  assert.equal(body, 'first')
  assert.notEqual(reset, 0)
  assert.equal(other.stream.destroyed, false)
  assert.equal(session.destroyed, false)
})
