import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import type { Context } from '../../proxy/context.ts'
import type { Exchange } from '../../proxy/exchange.ts'
import { copyForm } from '../../proxy/resume/copy-form.ts'
import { keepForm } from '../../proxy/resume/keep-form.ts'
import { gatherContent } from '../../proxy/resume/read-content.ts'
import { createRoom, type Room } from '../../proxy/resume/room.ts'
import type { Session } from '../../proxy/session/session.ts'
import { keyOf } from '../../proxy/store/key-of.ts'
import { type Store, StoreUnavailableError } from '../../proxy/store/store.ts'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'
import {
  type CountingUpstream,
  startCountingUpstream,
  valuesUnder,
} from '../support/counting-upstream.ts'
import { type Door, type DoorOptions, freshSession, openDoor } from '../support/door.ts'
import { freePort } from '../support/free-port.ts'
import { ask, connectHttp2 } from '../support/http2-client.ts'
import { headerOf, rawRequest, sendRaw, statusesOf } from '../support/raw-exchange.ts'
import { openTlsDoor } from '../support/tls-door.ts'
import { until } from '../support/until.ts'
import { rawApplication, rawClient } from '../upstream/sockets.ts'

const ORIGIN = 'https://app.example.com'
const PAGE = [
  'Host: app.example.com',
  'Sec-Fetch-Mode: navigate',
  'Sec-Fetch-Site: same-origin',
  'Accept: text/html',
]
const FORM = [...PAGE, `Origin: ${ORIGIN}`]
const LAST = 'Connection: close'
const CHUNKED = 'Transfer-Encoding: chunked'

type Setting = { door: Door; upstream: CountingUpstream; basic: string; through: string }

/** alice before her code and after it, and an application that needs it. */
async function open(
  t: TestContext,
  options: DoorOptions = {},
  answer?: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Setting> {
  const upstream = await startCountingUpstream(answer)
  t.after(() => upstream.close())
  const env = { STEPGATE_UPSTREAM: upstream.origin.origin, ...options.env }
  const door = await openDoor({ ...options, env })
  t.after(() => door.close())
  return { door, upstream, ...(await cookiesOf(door)) }
}

async function cookiesOf(door: Door): Promise<Pick<Setting, 'basic' | 'through'>> {
  const otpTime = freshSession(door.now()).createdAt
  return {
    basic: await door.cookieOf(),
    through: await door.cookieOf({ acr: 'twilio_sms', amr: ['pwd', 'sms'], otpTime, id: 'after' }),
  }
}

/** The id of what an answer says that is kept, and the cookie of its browser. */
function keptBy(text: string): { id: string; cookie: string } {
  const location = headerOf(text, 'location') ?? ''
  const returnTo = new URL(location, ORIGIN).searchParams.get('return_to') ?? ''
  const id = /^\/_stepgate\/resume\?id=([\w-]{43})$/.exec(returnTo)?.[1]
  const cookie = /^set-cookie: (__Host-stepgate-resume=[\w-]{43});/im.exec(text)?.[1]
  assert.ok(id && cookie, text)
  return { id, cookie }
}

const withCookie = (session: string, cookie: string) => `${session}; ${cookie}`

function sendMarker(
  t: TestContext,
  { door, through }: Pick<Setting, 'door' | 'through'>,
  path: string,
  kept: { id: string; cookie: string },
) {
  const body = `stepgate-resume=${kept.id}`
  const type = 'Content-Type: application/x-www-form-urlencoded'
  const headers = [
    ...FORM,
    withCookie(through, kept.cookie),
    type,
    `Content-Length: ${body.length}`,
    LAST,
  ]
  return sendRaw(t, door.port, rawRequest(`POST ${path} HTTP/1.1`, headers, body))
}

async function keep(t: TestContext, { door, basic }: Setting, path = '/form', body = 'a=b') {
  const headers = [...FORM, basic, LAST, `Content-Length: ${body.length}`]
  return keptBy(await sendRaw(t, door.port, rawRequest(`POST ${path} HTTP/1.1`, headers, body)))
}

function hasRoom(room: Room, bytes: number): boolean {
  const has = room.take(bytes)
  if (has) room.give(bytes)
  return has
}

test('content in chunks, asked for or not, goes on in one piece and with its length', async (t) => {
  const setting = await open(t)
  const { door, basic, upstream } = setting
  const head = rawRequest('POST /form HTTP/1.1', [
    ...FORM,
    basic,
    CHUNKED,
    LAST,
    'Content-Type: a/b',
    'Trailer: X-Sum',
    'Expect: 100-continue',
  ])
  const client = rawClient(t, door.port, head)
  await client.until((text) => text === 'HTTP/1.1 100 Continue\r\n\r\n')
  client.socket.write('3\r\na=b\r\n6;x=y\r\n&c=\xff\0d\r\n0\r\nX-Sum: 1\r\n\r\n', 'latin1')
  const { text } = await client.ended
  const kept = keptBy(text.slice(text.indexOf('\r\n\r\n') + 4))
  assert.deepEqual(upstream.take(), [])

  assert.deepEqual(statusesOf(await sendMarker(t, setting, '/form', kept)), [200])
  const [arrival, ...others] = upstream.take()
  assert.ok(arrival)
  assert.deepEqual([arrival.method, arrival.body, others.length], ['POST', 'a=b&c=\xff\0d', 0])
  assert.deepEqual(valuesUnder(arrival, 'content-type'), ['a/b'])
  assert.deepEqual(valuesUnder(arrival, 'content-length'), ['9'])
  for (const gone of ['transfer-encoding', 'trailer', 'expect', 'x-sum']) {
    assert.deepEqual(valuesUnder(arrival, gone), [], gone)
  }
  assert.deepEqual(valuesUnder(arrival, 'origin'), [ORIGIN])
})

test('over HTTP/2 too, without a length', async (t) => {
  const { door, upstream } = await openTlsDoor(t, { env: { STEPGATE_RULES: 'twilio_sms /**' } })
  const { basic, through } = await cookiesOf(door)
  const session = await connectHttp2(t, door.port)
  const headers = {
    ':method': 'POST',
    ':path': '/form',
    origin: ORIGIN,
    accept: 'text/html',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-site': 'same-origin',
  }
  const cookieOf = (line: string) => line.replace('Cookie: ', '')
  const first = await ask(
    session,
    { ...headers, cookie: cookieOf(basic), 'content-type': 'a/b' },
    'typed over h2',
  )
  assert.equal(first.status, 303)
  const lines = [
    `x\r\nLocation: ${first.headers.location}`,
    ...(first.headers['set-cookie'] ?? []).map((cookie) => `Set-Cookie: ${cookie}`),
  ]
  const { id, cookie } = keptBy(lines.join('\r\n'))
  const body = `stepgate-resume=${id}`
  const sent = await ask(
    session,
    {
      ...headers,
      cookie: `${cookieOf(through)}; ${cookie}`,
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': `${body.length}`,
    },
    body,
  )
  assert.equal(sent.status, 200)
  assert.deepEqual(
    upstream.take().map(({ body }) => body),
    ['typed over h2'],
  )
})

test('where the application passes it on to another address of its own, it gets there whole, once', async (t) => {
  const setting = await open(t, {}, (request, response) => {
    const to = { '/form': '/form/', '/form/': '/elsewhere?x=1' }[request.url ?? '']
    if (to === undefined) response.end('arrived')
    else response.writeHead(to === '/form/' ? 308 : 307, { Location: to }).end()
  })
  const kept = await keep(t, setting)
  const statuses: number[] = []
  // In this order: not before the application says so, and nowhere twice.
  for (const path of [
    '/form/',
    '/form',
    '/form',
    '/form/',
    '/elsewhere?x=1',
    '/elsewhere?x=1',
    '/else',
  ]) {
    statuses.push(...statusesOf(await sendMarker(t, setting, path, kept)))
  }
  assert.deepEqual(statuses, [410, 308, 409, 307, 200, 409, 409])
  const arrivals = setting.upstream.take().map(({ target, body }) => [target, body])
  assert.deepEqual(
    arrivals,
    ['/form', '/form/', '/elsewhere?x=1'].map((target) => [target, 'a=b']),
  )
})

test('an application that is not there gets it when it is, and one that was cut off does not get it twice', async (t) => {
  const port = await freePort()
  const setting = await open(t, { env: { STEPGATE_UPSTREAM: `http://127.0.0.1:${port}` } })
  const kept = await keep(t, setting)
  for (let times = 0; times < 2; times++) {
    const down = await sendMarker(t, setting, '/form', kept)
    assert.deepEqual(statusesOf(down), [502])
    assert.match(down, new RegExp(`href="/_stepgate/resume\\?id=${kept.id}"`))
  }
  const cut = await open(t, {}, (request) => request.socket.destroy())
  const lost = await keep(t, cut)
  const broken = await sendMarker(t, cut, '/form', lost)
  assert.deepEqual(statusesOf(broken), [502])
  assert.match(broken, /check first whether it arrived/)
  assert.deepEqual(statusesOf(await sendMarker(t, cut, '/form', lost)), [409])
  assert.equal(cut.upstream.take().length, 1)
})

test('while the store does not answer nothing is passed on, and a page says so', async (t) => {
  let works = true
  const memory = createMemoryStore()
  const guarded = (name: 'count' | 'put' | 'get' | 'swap') => ({
    [name]: (...args: unknown[]) =>
      works
        ? Reflect.apply(memory[name], memory, args)
        : Promise.reject(new StoreUnavailableError(new Error('gone'))),
  })
  const store: Store = { ...memory, ...guarded('count'), ...guarded('get'), ...guarded('swap') }
  const setting = await open(t, { overrides: { store } })
  const kept = await keep(t, setting)
  works = false
  const text = await sendRaw(
    t,
    setting.door.port,
    rawRequest('POST /form HTTP/1.1', [...FORM, setting.basic, LAST, 'Content-Length: 3'], 'a=b'),
  )
  assert.deepEqual([statusesOf(text), headerOf(text, 'retry-after')], [[503], '5'])
  assert.match(text, /was not sent: .* no room at the moment/)
  assert.deepEqual(statusesOf(await sendMarker(t, setting, '/form', kept)), [503])
  assert.deepEqual(setting.upstream.take(), [])
  works = true
  assert.deepEqual(statusesOf(await sendMarker(t, setting, '/form', kept)), [200])
  assert.equal(setting.upstream.take().length, 1)
})

test('whoever can write to the store puts no form in the place of another', async (t) => {
  const setting = await open(t)
  const { store } = setting.door.context
  const [one, two] = [
    await keep(t, setting, '/form', 'a=1'),
    await keep(t, setting, '/form', 'a=2'),
  ]
  const now = setting.door.now()
  const other = await store.get(keyOf('resume-content', two.id), now)
  await store.put(keyOf('resume-content', one.id), other ?? '', now + 60_000)
  assert.deepEqual(statusesOf(await sendMarker(t, setting, '/form', one)), [409])
  assert.deepEqual(setting.upstream.take(), [])
  assert.deepEqual(statusesOf(await sendMarker(t, setting, '/form', two)), [200])
})

test('anonymous forms fill neither the store nor the place of people who are known', async (t) => {
  const env = { STEPGATE_RESUME_MAX_BODY: '10MB', STEPGATE_TRUSTED_PROXIES: '127.0.0.1' }
  const setting = await open(t, { env })
  const { door, basic } = setting
  const post = async (address: string, length: number, ...headers: string[]) => {
    const head = [
      ...FORM,
      `X-Forwarded-For: ${address}`,
      `Content-Length: ${length}`,
      LAST,
      ...headers,
    ]
    const text = await sendRaw(
      t,
      door.port,
      rawRequest('POST /form HTTP/1.1', head, 'x'.repeat(length)),
    )
    return statusesOf(text)[0]
  }
  const large = []
  for (let n = 0; n < 6; n++) large.push(await post(`192.0.2.${n}`, 40_000))
  assert.deepEqual(large, [303, 303, 303, 303, 429, 429])
  const known = []
  for (let n = 0; n < 8; n++) known.push(await post('192.0.2.1', 40_000, basic))
  assert.deepEqual(known, [303, 303, 303, 303, 303, 303, 429, 429])
  const small = []
  for (let n = 0; n < 52; n++) small.push(await post('2001:db8::1', 10))
  assert.deepEqual(small, [...Array(50).fill(303), 429, 429])
  assert.equal(await post('2001:db8:0:0:1::', 10), 429)
  assert.equal(await post('2001:db8:1::1', 10), 303)
  assert.deepEqual(setting.upstream.take(), [])
})

test('content that waits for its end takes room of which there is only so much', async (t) => {
  const room = createRoom(1000)
  const setting = await open(t, {
    change: (context) => ({ ...context, resume: { ...context.resume, room } }),
  })
  const { door, basic } = setting
  const post = (body: string, length = body.length) =>
    rawRequest('POST /form HTTP/1.1', [...FORM, basic, LAST, `Content-Length: ${length}`], body)
  const slow = rawClient(t, door.port, post('x'.repeat(600), 601))
  await until(async () => !hasRoom(room, 401))
  const full = await sendRaw(t, door.port, post('x'.repeat(500)))
  assert.deepEqual(statusesOf(full), [503])
  slow.socket.write('x')
  assert.deepEqual(statusesOf((await slow.ended).text), [303])
  assert.deepEqual(statusesOf(await sendRaw(t, door.port, post('x'.repeat(1000)))), [303])
  const gone = rawClient(t, door.port, post('x'.repeat(600), 601))
  await until(async () => !hasRoom(room, 401))
  gone.socket.destroy()
  await until(async () => hasRoom(room, 1000))
})

test('what the application has begun to read when it wants a code is kept whole', async (t) => {
  const room = createRoom(1024 * 1024)
  const error = 'error="insufficient_user_authentication"'
  const challenge = `WWW-Authenticate: Bearer ${error}, acr_values="twilio_sms"`
  const { origin, connections } = await rawApplication(t, ({ socket, received }) => {
    if (received.endsWith('a=b\r\n')) {
      socket.write(`HTTP/1.1 401 No\r\n${challenge}\r\nContent-Length: 0\r\n\r\n`)
    } else if (received.endsWith('a=b&c=d')) {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    }
  })
  const env = { STEPGATE_UPSTREAM: origin.origin, STEPGATE_RULES: 'basic /**' }
  const door = await openDoor({
    env,
    change: (context) => ({ ...context, resume: { ...context.resume, copies: room } }),
  })
  t.after(() => door.close())
  const { basic, through } = await cookiesOf(door)
  const head = [...FORM, basic, CHUNKED, LAST]
  const client = rawClient(t, door.port, rawRequest('POST /form HTTP/1.1', head, '3\r\na=b\r\n'))
  // It has said what it wants, and the rest is waited for.
  await until(async () => connections[0]?.socket.destroyed === true)
  assert.ok(!hasRoom(room, 1024 * 1024 - 2))
  assert.equal(client.received(), '')
  client.socket.write('4\r\n&c=d\r\n0\r\n\r\n')
  const kept = keptBy((await client.ended).text)
  assert.ok(hasRoom(room, 1024 * 1024))
  assert.deepEqual(statusesOf(await sendMarker(t, { door, through }, '/form', kept)), [200])
  assert.equal(connections.length, 2)
  // Whatever else comes of it, the room is given back.
  const passed = rawRequest('POST /form HTTP/1.1', [...FORM, through, LAST, 'Content-Length: 7'])
  assert.deepEqual(statusesOf(await sendRaw(t, door.port, `${passed}a=b&c=d`)), [200])
  await until(async () => hasRoom(room, 1024 * 1024))
})

test('what the application challenges when it is sent on waits again, until it is delivered', async (t) => {
  let answer = 401
  const setting = await open(t, { env: { STEPGATE_RULES: 'basic /**' } }, (_, response) => {
    const error = 'error="insufficient_user_authentication"'
    const challenge = `Bearer ${error}, acr_values="twilio_sms", max_age=600`
    response.writeHead(answer, { 'WWW-Authenticate': challenge }).end('refused')
  })
  const { door } = setting
  const kept = await keep(t, setting)
  const otpTime = door.now() - 11 * 60_000
  const old = { acr: 'twilio_sms', amr: ['pwd', 'sms'], id: 'old', otpTime } as const
  const stale = { ...setting, through: await door.cookieOf(old) }
  for (let times = 0; times < 2; times++) {
    const again = await sendMarker(t, stale, '/form', kept)
    assert.deepEqual(statusesOf(again), [303])
    const way = `/_stepgate/otp?return_to=${encodeURIComponent(`/_stepgate/resume?id=${kept.id}`)}`
    assert.equal(headerOf(again, 'location'), `${way}&max_age=600`)
    assert.equal(headerOf(again, 'set-cookie'), undefined)
  }
  answer = 200
  assert.deepEqual(statusesOf(await sendMarker(t, setting, '/form', kept)), [200])
  assert.deepEqual(statusesOf(await sendMarker(t, setting, '/form', kept)), [409])
  assert.deepEqual(
    setting.upstream.take().map(({ body }) => body),
    Array(4).fill('a=b'),
  )
  assert.equal(door.logs('form.kept').length, 1)
  // Whoever has all that it asks for gets its answer, and the form has been delivered.
  answer = 401
  const other = await keep(t, setting)
  const refused = await sendMarker(t, setting, '/form', other)
  assert.deepEqual(statusesOf(refused), [401])
  assert.match(refused, /refused/)
  assert.deepEqual(statusesOf(await sendMarker(t, setting, '/form', other)), [409])
})

test('a form as long as a marker is kept by a challenge as any other, and only one that was gathered', async (t) => {
  const setting = await open(
    t,
    { env: { STEPGATE_RULES: 'public /public; basic /**' } },
    ({ headers }, response) => {
      if (headers['x-stepgate-acr'] === 'twilio_sms') return response.end('yes')
      const error = 'error="insufficient_user_authentication"'
      response.writeHead(401, { 'WWW-Authenticate': `Bearer ${error}, acr_values="twilio_sms"` })
      return response.end('refused')
    },
  )
  const { door, basic, upstream } = setting
  const type = 'Content-Type: application/x-www-form-urlencoded'
  const post = (path: string, body: string, ...headers: string[]) => {
    const all = [...FORM, LAST, type, `Content-Length: ${body.length}`, ...headers]
    return sendRaw(t, door.port, rawRequest(`POST ${path} HTTP/1.1`, all, body))
  }
  const body = `a=${'b'.repeat(57)}`
  const kept = keptBy(await post('/form', body, basic))
  assert.deepEqual(statusesOf(await sendMarker(t, setting, '/form', kept)), [200])
  assert.deepEqual(
    upstream.take().map((arrival) => arrival.body),
    [body, body],
  )
  // Of somebody unknown nothing is held while it streams: half of it must not pass for all of it.
  const unknown = await post('/public', 'a=b')
  assert.deepEqual(statusesOf(unknown), [403])
  assert.match(unknown, /The application did not accept .* you were not signed in/)
  keptBy(await post('/public', ''))
})

test('only what could be kept is gathered', async (t) => {
  const { door } = await open(t)
  const alice = freshSession(door.now())
  const gather = (method: string, headers: Record<string, string>, session?: Session) => {
    const incoming = Object.assign(new EventEmitter(), {
      method,
      headers,
      pause() {},
      resume() {},
      complete: true,
    })
    const gathering = copyForm(door.context, { incoming } as unknown as Exchange, session)
    gathering?.drop()
    return gathering !== undefined
  }
  const form = { origin: ORIGIN, 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'same-origin' }
  assert.equal(gather('POST', form, alice), true)
  assert.equal(gather('POST', { ...form, 'content-length': '1048576' }, alice), true)
  assert.equal(gather('POST', { ...form, 'content-length': '1048577' }, alice), false)
  assert.equal(gather('POST', form), false)
  assert.equal(gather('GET', form, alice), false)
  assert.equal(gather('POST', { ...form, 'sec-fetch-mode': 'cors' }, alice), false)
  assert.equal(gather('POST', { ...form, 'sec-fetch-site': 'cross-site' }, alice), false)
  assert.equal(gather('POST', { ...form, origin: 'https://evil.example' }, alice), false)
})

const FIELDS = 'Content-Type: application/x-www-form-urlencoded'
const MINUTE = 60_000
/** As long as a marker. */
const SHORT = `a=${'b'.repeat(57)}`
const markerOf = ({ id }: { id: string }) => `stepgate-resume=${id}`

/** Posts all but the last byte of 59 once they are asked for. */
async function begin(t: TestContext, door: Door, cookie: string, body: string) {
  const head = [...FORM, cookie, LAST, FIELDS, 'Content-Length: 59', 'Expect: 100-continue']
  const client = rawClient(t, door.port, rawRequest('POST /form HTTP/1.1', head))
  await client.until((text) => text.includes('100 Continue'))
  client.socket.write(body.slice(0, 58))
  return {
    client,
    async finish() {
      client.socket.write(body.slice(58))
      const { text } = await client.ended
      return text.slice(text.indexOf('\r\n\r\n') + 4)
    },
  }
}

const revoke = (door: Door) =>
  door.context.revocations.revoke('family-of-alice', door.now() + MINUTE)
/** Alice, signed in again and through. */
const again = (door: Door) => {
  const otpTime = door.now()
  return door.cookieOf({ family: 'next', id: 'next', acr: 'twilio_sms', otpTime, seenAt: otpTime })
}

/** A store in which some operations first do something else. */
function storeWith(names: readonly ('put' | 'swap')[], first: () => Promise<void>): Store {
  const memory = createMemoryStore()
  const hooked = names.map((name) => [
    name,
    async (...args: unknown[]) => {
      await first()
      return Reflect.apply(memory[name], memory, args)
    },
  ])
  return { ...memory, ...Object.fromEntries(hooked) }
}

test('who has gone by the time that the 59 bytes are there sends nothing, and it is kept', async (t) => {
  const setting = await open(t)
  const { door, upstream, through } = setting
  const kept = await keep(t, setting)
  const own = await begin(t, door, withCookie(through, kept.cookie), SHORT)
  const marked = await begin(t, door, withCookie(through, kept.cookie), markerOf(kept))
  await revoke(door)
  const [first, second] = [await own.finish(), await marked.finish()]
  assert.deepEqual(upstream.take(), [])
  for (const text of [first, second]) {
    assert.deepEqual(statusesOf(text), [303])
    assert.match(headerOf(text, 'location') ?? '', /^https:\/\/login\.example/)
  }
  assert.deepEqual(
    door.logs('form.kept').map(({ bytes }) => bytes),
    [3, 59],
  )
  const next = { door, through: await again(door) }
  assert.deepEqual(statusesOf(await sendMarker(t, next, '/form', kept)), [200])
  assert.equal(upstream.take().length, 1)
})

test('a code that has become too old while they came is asked for again', async (t) => {
  const setting = await open(t, { env: { STEPGATE_RULES: 'twilio_sms /** max_age=5m' } })
  const { door, upstream, through } = setting
  const own = await begin(t, door, through, SHORT)
  door.turnClock(6 * MINUTE)
  keptBy(await own.finish())
  assert.deepEqual(upstream.take(), [])
})

test('59 bytes that do not come are not waited for', async (t) => {
  const { door, through, upstream } = await open(t)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { client } = await begin(t, door, through, SHORT)
  t.mock.timers.tick(10_000)
  await client.until((text) => /\r\nHTTP\/1\.1 408 /.test(text))
  t.mock.timers.reset()
  assert.deepEqual(upstream.take(), [])
})

test('who goes, or is signed out, while what is kept is looked up can send it later', async (t) => {
  let during = async () => {}
  const setting = await open(t, { overrides: { store: storeWith(['swap'], () => during()) } })
  const { door, upstream } = setting
  const kept = await keep(t, setting)
  const waiting = Promise.withResolvers<void>()
  const entered = Promise.withResolvers<void>()
  during = () => {
    entered.resolve()
    return waiting.promise
  }
  const head = [...FORM, withCookie(setting.through, kept.cookie), FIELDS, 'Content-Length: 59']
  const line = 'POST /form HTTP/1.1'
  const gone = rawClient(t, door.port, rawRequest(line, head, markerOf(kept)))
  await entered.promise
  gone.socket.destroy()
  await until(async () => door.logs('request').length === 2)
  during = async () => {}
  waiting.resolve()
  await until(async () => {
    const text = await sendMarker(t, { door, through: setting.basic }, '/form', kept)
    return statusesOf(text)[0] === 303
  })
  assert.deepEqual(door.logs('form.sent_on'), [])

  during = async () => {
    during = async () => {}
    await revoke(door)
  }
  const ended = await sendMarker(t, setting, '/form', kept)
  assert.deepEqual(statusesOf(ended), [303])
  assert.match(headerOf(ended, 'location') ?? '', /^https:\/\/login\.example/)
  assert.deepEqual(upstream.take(), [])
  assert.deepEqual(door.logs('form.sent_on'), [])
  const next = { door, through: await again(door) }
  assert.deepEqual(statusesOf(await sendMarker(t, next, '/form', kept)), [200])
  assert.equal(upstream.take().length, 1)
  assert.equal(door.logs('form.sent_on').length, 1)
})

/** A session of which a request has to be noticed. */
function oldSession(door: Door) {
  const old = door.now() - 20 * MINUTE
  const times = { otpTime: old, createdAt: old, seenAt: old, authTime: old }
  return door.cookieOf({ acr: 'twilio_sms', id: 'after', ...times })
}

/** Something happens before a session is written again. */
const beforeSeal = (first: () => Promise<void>) => ({
  change: (context: Context): Context => ({
    ...context,
    sessions: {
      ...context.sessions,
      async seal(...args) {
        await first()
        return context.sessions.seal(...args)
      },
    },
  }),
})

test('what fails on the way leaves what is kept where it is, and nothing is counted', async (t) => {
  let works = true
  const check = async () => {
    if (!works) throw new StoreUnavailableError(new Error('gone'))
  }
  const store = storeWith(['put'], check)
  const setting = await open(t, { overrides: { store }, ...beforeSeal(check) })
  const { door, upstream } = setting
  const kept = await keep(t, setting)
  const through = await oldSession(door)
  works = false
  assert.deepEqual(statusesOf(await sendMarker(t, { door, through }, '/form', kept)), [503])
  for (let n = 0; n < 20; n++) {
    const head = [...FORM, setting.basic, LAST, 'Content-Length: 3']
    const text = await sendRaw(t, door.port, rawRequest('POST /form HTTP/1.1', head, 'a=b'))
    assert.deepEqual(statusesOf(text), [503])
  }
  assert.deepEqual(upstream.take(), [])
  works = true
  assert.deepEqual(statusesOf(await sendMarker(t, { door, through }, '/form', kept)), [200])
  await keep(t, setting)
})

test('what can not be sent at all is put back', async (t) => {
  let works = false
  const setting = await open(t, {
    change: (context) => ({
      ...context,
      upstream: {
        ...context.upstream,
        forwarder: {
          ...context.upstream.forwarder,
          forward: (...args) =>
            works
              ? context.upstream.forwarder.forward(...args)
              : Promise.reject(new TypeError('unsendable')),
        },
      },
    }),
  })
  const kept = await keep(t, setting)
  assert.deepEqual(statusesOf(await sendMarker(t, setting, '/form', kept)), [500])
  works = true
  assert.deepEqual(statusesOf(await sendMarker(t, setting, '/form', kept)), [200])
})

test('a form whose session ends before it leaves is kept', async (t) => {
  let during = async () => {}
  const setting = await open(
    t,
    beforeSeal(() => during()),
  )
  const { door, upstream } = setting
  const cookie = await oldSession(door)
  during = async () => {
    during = async () => {}
    await revoke(door)
  }
  const head = [...FORM, cookie, LAST, 'Content-Length: 3']
  const text = await sendRaw(t, door.port, rawRequest('POST /form HTTP/1.1', head, 'a=b'))
  assert.deepEqual(statusesOf(text), [303])
  assert.deepEqual(upstream.take(), [])
  assert.deepEqual(
    door.logs('form.kept').map(({ subject }) => subject),
    ['subject-of-alice'],
  )

  const unsent = await open(t, {
    change: (context) => ({
      ...context,
      upstream: {
        ...context.upstream,
        forwarder: {
          ...context.upstream.forwarder,
          async forward(_, incoming) {
            incoming.resume()
            return { kind: 'session-ended' }
          },
        },
      },
    }),
  })
  const passed = [...FORM, unsent.through, LAST, 'Content-Length: 3']
  await sendRaw(t, unsent.door.port, rawRequest('POST /form HTTP/1.1', passed, 'a=b'))
  assert.equal(unsent.door.logs('form.kept').length, 1)
})

test('of one whose session ends on its way nobody says that it arrived, or that it did not', async (t) => {
  const { origin, connections } = await rawApplication(t, () => {})
  const setting = await open(t, { env: { STEPGATE_UPSTREAM: origin.origin } })
  const { door, through } = setting
  const kept = await keep(t, setting)
  const referer = `Referer: ${ORIGIN}/page`
  const head = [...FORM, through, LAST, referer, 'Content-Length: 1000']
  const upload = rawClient(t, door.port, rawRequest('POST /form HTTP/1.1', head, 'begun'))
  const marked = sendMarker(t, setting, '/form', kept)
  await until(async () => connections.filter(({ received }) => received !== '').length === 2)
  await revoke(door)
  for (const text of [(await upload.ended).text, await marked]) {
    assert.deepEqual(statusesOf(text), [409])
    assert.match(text, /We do not know whether it arrived/)
    assert.match(text, /href="\/_stepgate\/sign-in\?return_to=/)
    assert.doesNotMatch(text, /was not sent/)
  }
  const next = { door, through: await again(door) }
  assert.match(await sendMarker(t, next, '/form', kept), /sent once already/)
})

test('the copy of a form is given back when the application begins to answer', async (t) => {
  const copies = createRoom(1000)
  const env = { STEPGATE_RULES: 'basic /**' }
  const setting = await open(
    t,
    { env, change: (context) => ({ ...context, resume: { ...context.resume, copies } }) },
    (_, response) => void response.write('begun'),
  )
  const { door, basic } = setting
  const head = [...FORM, basic, 'Content-Length: 600']
  const body = 'x'.repeat(600)
  const client = rawClient(t, door.port, rawRequest('POST /form HTTP/1.1', head, body))
  await client.until((text) => text.includes('begun'))
  assert.ok(hasRoom(copies, 1000))
})

test('content in many small pieces takes no more memory than its room says', async () => {
  const room = createRoom(20)
  const incoming = Object.assign(new EventEmitter(), {
    headers: { 'transfer-encoding': 'chunked' },
    complete: true,
    pause() {},
  })
  const gathering = gatherContent(incoming as unknown as IncomingMessage, 18, room)
  const piece = Buffer.from('x')
  for (const letter of 'typed') {
    piece.write(letter)
    incoming.emit('data', piece)
  }
  assert.ok(hasRoom(room, 12) && !hasRoom(room, 13))
  incoming.emit('data', Buffer.from(' with care'))
  assert.ok(hasRoom(room, 4) && !hasRoom(room, 5))
  incoming.emit('data', Buffer.from('!!!'))
  assert.ok(hasRoom(room, 2) && !hasRoom(room, 3))
  incoming.emit('end')
  assert.deepEqual(await gathering.content, {
    kind: 'whole',
    bytes: Buffer.from('typed with care!!!'),
  })
  gathering.drop()
  gathering.drop()
  assert.ok(hasRoom(room, 20) && !hasRoom(room, 21))
})

test('an application that leads what is kept to another origin does not get it there', async (t) => {
  let to = 'https://other.example/in'
  const setting = await open(t, {}, ({ method }, response) =>
    method === 'GET'
      ? response.end('page')
      : response.writeHead(307, { Location: to, 'Set-Cookie': 'a=b' }).end(),
  )
  const kept = await keep(t, setting)
  for (to of ['https://other.example/in', '//other.example/', 'http://app.example.com/form/']) {
    const text = await sendMarker(t, setting, '/form', kept)
    assert.deepEqual(statusesOf(text), [502])
    assert.equal(headerOf(text, 'location'), undefined)
    assert.match(text, /wanted it sent to another address/)
    assert.equal(headerOf(text, 'set-cookie'), 'a=b')
  }
  to = `${ORIGIN}/form/`
  assert.deepEqual(statusesOf(await sendMarker(t, setting, '/form', kept)), [307])
})

test('what is kept already is not counted again, and one that is deleted once', async (t) => {
  const setting = await open(t)
  const { door, basic } = setting
  const kept = await keep(t, setting)
  const count = async () => {
    let n = 0
    const head = [...FORM, withCookie(basic, kept.cookie), LAST, 'Content-Length: 3']
    const line = 'POST /form HTTP/1.1'
    while (statusesOf(await sendRaw(t, door.port, rawRequest(line, head, 'a=b')))[0] === 303) n++
    return n
  }
  assert.equal(await count(), 19)
  const stopped = await sendMarker(t, { door, through: basic }, '/form', kept)
  assert.deepEqual(statusesOf(stopped), [303])
  assert.match(decodeURIComponent(headerOf(stopped, 'location') ?? ''), new RegExp(kept.id))

  const bob = await door.cookieOf({ subject: 'bob', family: 'bob', id: 'bob' })
  const page = [...PAGE, withCookie(bob, kept.cookie), LAST]
  const look = rawRequest(`GET /_stepgate/resume?id=${kept.id} HTTP/1.1`, page)
  await Promise.all(Array.from({ length: 10 }, () => sendRaw(t, door.port, look)))
  assert.equal(await count(), 1)
})

test('on a public path what somebody typed waits for a sign-in', async (t) => {
  const error = 'error="insufficient_user_authentication"'
  const challenge = `Bearer ${error}, acr_values="twilio_sms"`
  const setting = await open(t, { env: { STEPGATE_RULES: 'public /**' } }, (_, response) =>
    response.writeHead(401, { 'WWW-Authenticate': challenge }).end(),
  )
  const kept = await keep(t, setting)
  const head = [...PAGE, `Cookie: ${kept.cookie}`, LAST]
  const line = `GET /_stepgate/resume?id=${kept.id} HTTP/1.1`
  const text = await sendRaw(t, setting.door.port, rawRequest(line, head))
  assert.match(headerOf(text, 'location') ?? '', /^https:\/\/login\.example/)
})

test('an address that nothing can be sent to again is said to be why', async (t) => {
  const { door } = await open(t)
  const headers = { origin: ORIGIN, 'sec-fetch-site': 'same-origin' }
  const incoming = { method: 'POST', headers, resume() {} }
  const target = { raw: '/f\u00fc', paths: [] }
  const exchange = { incoming, target, client: {}, notes: {} } as unknown as Exchange
  const { context } = door
  const kept = await keepForm({ context, exchange, session: undefined, now: door.now() })
  assert.deepEqual(kept, { kind: 'not-kept', reason: 'address' })
})

test('the size that is named is the size that is meant', async (t) => {
  const env = { STEPGATE_RESUME_MAX_BODY: '10MB', STEPGATE_MAX_BODY: '64KB' }
  const { door, basic } = await open(t, { env })
  const head = [...FORM, basic, LAST, CHUNKED]
  const chunk = `10001\r\n${'x'.repeat(65537)}\r\n0\r\n\r\n`
  const text = await sendRaw(t, door.port, rawRequest('POST /form HTTP/1.1', head, chunk))
  assert.deepEqual(statusesOf(text), [413])
  assert.match(text, /at most 64KB/)
})
