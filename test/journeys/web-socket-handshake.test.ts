import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { after, before, describe, type TestContext, test as unlimited } from 'node:test'
import { startCountingUpstream, valuesUnder, YES } from '../support/counting-upstream.ts'
import { type Door, openDoor } from '../support/door.ts'
import { headerOf, rawRequest, sendRaw, statusesOf } from '../support/raw-exchange.ts'
import { until } from '../support/until.ts'
import {
  ACCEPT,
  accepting,
  frame,
  framesOf,
  handshake,
  KEY,
  ORIGIN,
  switching,
} from '../support/web-socket.ts'
import { answering, type RawConnection, rawApplication, rawClient } from '../upstream/sockets.ts'

/** A connection that does not end as it should fails its test rather than hang it. */
const test = (name: string, run: (t: TestContext) => Promise<void>) =>
  unlimited(name, { timeout: 60_000 }, run)

const RULES =
  'public /public; twilio_sms /payroll max_age=15m; basic /staff groups=hr; deny /denied; basic /**'

async function doorTo(
  t: TestContext,
  react: (connection: RawConnection) => void,
  env: Readonly<Record<string, string>> = {},
) {
  const { origin, connections } = await rawApplication(t, react)
  const door = await openDoor({
    env: { STEPGATE_UPSTREAM: origin.origin, STEPGATE_RULES: RULES, ...env },
  })
  t.after(() => door.close())
  const cookie = await door.cookieOf()
  return { door, cookie, connections, received: () => connections.map((one) => one.received) }
}

const OK = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nyes'
const jsonOf = (text: string) => JSON.parse(text.split('\r\n\r\n')[1] ?? '')

test('a handshake reaches the application with who is asking, and its 101 the client', async (t) => {
  const answer = switching(
    [
      'Sec-WebSocket-Protocol: chat.v2',
      'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=10',
      'Set-Cookie: own=1',
      'Set-Cookie: __Host-stepgate=stolen',
      'X-Stepgate-Acr: twilio_sms',
      'X-Application: yes',
      'Content-Length: 10',
    ],
    frame('welcome'),
  )
  const { door, cookie, received } = await doorTo(t, answering(answer))
  const client = rawClient(
    t,
    door.port,
    handshake('/chat?room=1', [
      ORIGIN,
      `${cookie}; own=0`,
      'Sec-WebSocket-Protocol: chat.v2, chat.v1',
      'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-other',
      'X-Forwarded-User: admin',
      'X_Forwarded_User: admin',
      'X-Stepgate-Acr: twilio_sms',
    ]),
  )
  const text = await client.until((got) => got.endsWith('welcome'))
  assert.deepEqual(statusesOf(text), [101])
  assert.equal(framesOf(text), frame('welcome'))
  assert.equal(headerOf(text, 'sec-websocket-accept'), ACCEPT)
  assert.equal(headerOf(text, 'sec-websocket-protocol'), 'chat.v2')
  assert.equal(
    headerOf(text, 'sec-websocket-extensions'),
    'permessage-deflate; client_max_window_bits=10',
  )
  assert.equal(headerOf(text, 'upgrade'), 'websocket')
  assert.equal(headerOf(text, 'connection'), 'Upgrade')
  assert.equal(headerOf(text, 'x-application'), 'yes')
  for (const gone of ['content-length', 'x-stepgate-acr', 'transfer-encoding']) {
    assert.equal(headerOf(text, gone), undefined, gone)
  }
  assert.deepEqual(text.match(/^set-cookie: .*$/gim), ['Set-Cookie: own=1'])

  const [request = ''] = received()
  const values = (name: string) =>
    [...request.matchAll(/^([\w-]+): (.*)\r$/gm)]
      .filter(([, header]) => header?.toLowerCase().replaceAll('_', '-') === name)
      .map(([, , value]) => value)
  assert.match(request, /^GET \/chat\?room=1 HTTP\/1\.1\r\n/)
  assert.deepEqual(values('x-forwarded-user'), ['alice'])
  assert.deepEqual(values('x-stepgate-acr'), ['basic'])
  assert.deepEqual(values('cookie'), ['own=0'])
  assert.deepEqual(values('sec-websocket-key'), [KEY])
  assert.deepEqual(values('sec-websocket-version'), ['13'])
  assert.deepEqual(values('sec-websocket-protocol'), ['chat.v2, chat.v1'])
  assert.deepEqual(values('sec-websocket-extensions'), [
    'permessage-deflate; client_max_window_bits, x-other',
  ])
  assert.deepEqual(values('upgrade'), ['websocket'])
  assert.deepEqual(values('connection'), ['upgrade'])
  assert.deepEqual(values('origin'), ['https://app.example.com'])
  await until(async () => door.logs('request').length === 1)
  const [line] = door.logs('request')
  assert.deepEqual([line?.status, line?.complete, line?.path], [101, true, '/chat'])
})

test('a session that was seen long ago gets its new cookie with the 101', async (t) => {
  const { door } = await doorTo(t, accepting())
  const now = door.now()
  const cookie = await door.cookieOf({ seenAt: now - 600_000, createdAt: now - 600_000 })
  const text = await rawClient(t, door.port, handshake('/chat', [ORIGIN, cookie])).until((got) =>
    got.includes('\r\n\r\n'),
  )
  assert.match(headerOf(text, 'set-cookie') ?? '', /^__Host-stepgate=.*; HttpOnly/)
})

test('a handshake may come in pieces, and from Firefox', async (t) => {
  const { door, cookie } = await doorTo(t, accepting())
  const bytes = handshake('/chat', [ORIGIN, cookie], {
    Connection: 'keep-alive, Upgrade',
    Upgrade: 'WebSocket',
  })
  const client = rawClient(t, door.port)
  for (const piece of bytes.match(/[\s\S]{1,40}/g) ?? []) {
    await new Promise((resolve) => client.socket.write(piece, resolve))
  }
  assert.deepEqual(statusesOf(await client.until((text) => text.includes('\r\n\r\n'))), [101])
})

test('a handshake may follow other requests on its connection, once they are answered', async (t) => {
  const { door, cookie } = await doorTo(t, (connection) => {
    const asks = connection.received.startsWith('GET /chat') ? accepting() : answering(OK)
    asks(connection)
  })
  const client = rawClient(t, door.port)
  for (const answers of [1, 2]) {
    client.socket.write(rawRequest('GET /public HTTP/1.1', ['Host: app.example.com']))
    await client.until((text) => text.split('yes').length === answers + 1)
  }
  client.socket.write(handshake('/chat', [ORIGIN, cookie]))
  const text = await client.until((got) => got.endsWith('\r\n\r\n'))
  assert.deepEqual(statusesOf(text), [200, 200, 101])
})

describe('a handshake that is not let through', () => {
  let door: Door
  let upstream: Awaited<ReturnType<typeof startCountingUpstream>>
  before(async () => {
    upstream = await startCountingUpstream()
    door = await openDoor({
      env: { STEPGATE_UPSTREAM: upstream.origin.origin, STEPGATE_RULES: RULES },
    })
  })
  after(async () => {
    await door.close()
    await upstream.close()
  })

  /** Sends it with a request behind, which must not be read as one either. */
  async function refused(t: TestContext, bytes: string): Promise<string> {
    const follower = rawRequest('GET /public HTTP/1.1', ['Host: app.example.com'])
    const text = await sendRaw(t, door.port, bytes + follower)
    assert.deepEqual(upstream.take(), [])
    assert.equal(statusesOf(text).length, 1)
    assert.equal(headerOf(text, 'connection')?.toLowerCase(), 'close')
    assert.equal(headerOf(text, 'location'), undefined)
    return text
  }

  test('gets the answers that scripts get', async (t) => {
    const navigating = ['Sec-Fetch-Mode: navigate', 'Accept: text/html']
    const signIn = await refused(t, handshake('/chat', [ORIGIN, ...navigating]))
    assert.deepEqual(statusesOf(signIn), [401])
    assert.equal(jsonOf(signIn).error, 'sign_in_required')
    assert.equal(headerOf(signIn, 'www-authenticate'), 'Bearer realm="stepgate"')
    const cookie = await door.cookieOf()
    const stepUp = await refused(t, handshake('/payroll', [ORIGIN, cookie]))
    assert.deepEqual(statusesOf(stepUp), [401])
    assert.equal(jsonOf(stepUp).error, 'insufficient_user_authentication')
    assert.match(
      headerOf(stepUp, 'www-authenticate') ?? '',
      /error="insufficient_user_authentication".*acr_values="twilio_sms", max_age=900$/,
    )
    for (const path of ['/denied', '/staff']) {
      const text = await refused(t, handshake(path, [ORIGIN, cookie]))
      assert.deepEqual(statusesOf(text), [403])
      assert.equal(jsonOf(text).error, 'access_denied')
    }
    const rubbish = await refused(t, handshake('/chat', [ORIGIN, 'Cookie: __Host-stepgate=x']))
    assert.deepEqual(statusesOf(rubbish), [401])
  })

  test('because its page is of another origin', async (t) => {
    const cookie = await door.cookieOf()
    const foreign = [
      ['Origin: https://evil.example.com'],
      ['Origin: https://app.example.com.evil.test'],
      ['Origin: http://app.example.com'],
      ['Origin: https://app.example.com:8443'],
      ['Origin: https://app.example.com/'],
      ['Origin: null'],
      ['Origin: none'],
      ['Origin:'],
      [],
      [ORIGIN, 'Origin: https://evil.example.com'],
      [ORIGIN, ORIGIN],
    ]
    for (const origin of foreign) {
      for (const path of ['/chat', '/public']) {
        const text = await refused(t, handshake(path, [...origin, cookie]))
        assert.deepEqual(statusesOf(text), [403], origin.join())
        assert.equal(jsonOf(text).error, 'origin_not_allowed')
        const [line] = door.logs('request.denied').slice(-1)
        assert.equal(line?.reason, 'websocket_origin')
        assert.equal(line?.request_id, headerOf(text, 'x-request-id'))
      }
    }
  })

  const MALFORMED: Record<string, readonly [string, string, string?]> = {
    'by POST': ['websocket-method', handshake('', [], {}, 'POST /chat HTTP/1.1')],
    'by POST with a body': [
      'websocket-method',
      handshake('', ['Content-Length: 0'], {}, 'POST /chat HTTP/1.1'),
    ],
    'by HEAD': ['websocket-method', handshake('', [], {}, 'HEAD /chat HTTP/1.1')],
    'in HTTP/1.0': ['websocket-http-version', handshake('', [], {}, 'GET /chat HTTP/1.0')],
    'with two Upgrades': ['websocket-upgrade', handshake('/chat', ['Upgrade: h2c'])],
    'with another protocol beside': [
      'websocket-upgrade',
      handshake('/chat', [], { Upgrade: 'h2c, websocket' }),
    ],
    'without Connection': ['websocket-upgrade', handshake('/chat', [], { Connection: undefined })],
    'with Connection that keeps alive': [
      'websocket-upgrade',
      handshake('/chat', [], { Connection: 'keep-alive' }),
    ],
    'without a key': ['websocket-key', handshake('/chat', [], { 'Sec-WebSocket-Key': undefined })],
    'with a short key': ['websocket-key', handshake('/chat', [], { 'Sec-WebSocket-Key': 'abc=' })],
    'with two keys': ['websocket-key', handshake('/chat', [`Sec-WebSocket-Key: ${KEY}`])],
    'of an old version': [
      'websocket-version',
      handshake('/chat', [], { 'Sec-WebSocket-Version': '8' }),
    ],
    'of two versions': ['websocket-version', handshake('/chat', ['Sec-WebSocket-Version: 13'])],
    'with a length': ['websocket-body', handshake('/chat', ['Content-Length: 5'])],
    'with chunks': ['websocket-body', handshake('/chat', ['Transfer-Encoding: chunked'])],
    'with two Hosts': ['repeated-host', handshake('/chat', ['Host: other'])],
    'to a path with two readings': ['dot-segment', handshake('/a/../chat', [])],
  }
  for (const [name, [reason, bytes]] of Object.entries(MALFORMED)) {
    test(`because it comes ${name}`, async (t) => {
      const cookie = await door.cookieOf()
      const text = await refused(t, bytes.replace('\r\n', `\r\n${ORIGIN}\r\n${cookie}\r\n`))
      assert.deepEqual(statusesOf(text), [400])
      if (!bytes.startsWith('HEAD')) assert.equal(jsonOf(text).error, reason)
      const version = reason === 'websocket-version' ? '13' : undefined
      assert.equal(headerOf(text, 'sec-websocket-version'), version)
    })
  }

  test('behind an unanswered request on its connection', async (t) => {
    const slow = Promise.withResolvers<void>()
    const held = await startCountingUpstream((_, response) => {
      slow.promise.then(() => response.end(YES))
    })
    t.after(() => held.close())
    const holding = await openDoor({
      env: { STEPGATE_UPSTREAM: held.origin.origin, STEPGATE_RULES: RULES },
    })
    t.after(() => holding.close())
    const first = rawRequest('GET /public HTTP/1.1', ['Host: app.example.com'])
    const cookie = await holding.cookieOf()
    const bytes = first + handshake('/chat', [ORIGIN, cookie])
    assert.equal(await sendRaw(t, holding.port, bytes), '')
    slow.resolve()
    const after = await sendRaw(
      t,
      holding.port,
      rawRequest('GET /public HTTP/1.1', ['Host: app.example.com', 'Connection: close']),
    )
    assert.match(after, new RegExp(`${YES}$`))
    assert.ok(held.take().every((arrival) => valuesUnder(arrival, 'upgrade').length === 0))
  })

  test('or a tunnel, or no request at all, behind a response that has begun: it ends there', async (t) => {
    const begun = 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nbegun'
    const half = await doorTo(t, answering(begun))
    for (const bytes of [
      handshake('/chat', [ORIGIN, half.cookie]),
      rawRequest('CONNECT a:1 HTTP/1.1', ['Host: app.example.com']),
      '\0\r\n\r\n',
    ]) {
      const client = rawClient(
        t,
        half.door.port,
        rawRequest('GET /public HTTP/1.1', ['Host: app.example.com']),
      )
      await client.until((text) => text.endsWith('begun'))
      client.socket.write(bytes)
      assert.match((await client.ended).text, /\r\n\r\nbegun$/)
    }
  })

  test('goes to a page of ours as any request does', async (t) => {
    const text = await refused(t, handshake('/_stepgate/session', [ORIGIN]))
    assert.deepEqual(statusesOf(text), [401])
    assert.equal(jsonOf(text).error, 'sign_in_required')
  })
})

test('other origins are let in by name, and programs by their own word', async (t) => {
  const { door, cookie } = await doorTo(t, accepting(), {
    STEPGATE_WEBSOCKET_ORIGINS: 'https://portal.example.com:443, none',
  })
  const ask = (...origin: string[]) =>
    rawClient(t, door.port, handshake('/chat', [...origin, cookie])).until((text) =>
      text.includes('\r\n\r\n'),
    )
  for (const origin of [[ORIGIN], ['Origin: https://portal.example.com'], []]) {
    assert.deepEqual(statusesOf(await ask(...origin)), [101], origin.join())
  }
  for (const origin of ['Origin: none', 'Origin: null', 'Origin: https://other.example.com']) {
    assert.deepEqual(statusesOf(await ask(origin)), [403], origin)
  }
})

describe('what the application says to a handshake', () => {
  test('is passed on if it is no: status, headers, body, and nothing behind it is a request', async (t) => {
    const body = 'x'.repeat(3_000_000)
    const refusal = [
      'HTTP/1.1 418 Not A Teapot',
      `Content-Length: ${body.length}`,
      'Content-Type: text/plain',
      'Connection: keep-alive, X-Hop',
      'X-Hop: 1',
      'X-Stepgate-Acr: 1',
      'Set-Cookie: __Host-stepgate=1',
    ]
    const { door, cookie, received } = await doorTo(
      t,
      answering(`${refusal.join('\r\n')}\r\n\r\n${body}`),
    )
    const smuggled = rawRequest('GET /denied HTTP/1.1', ['Host: a', 'X-Forwarded-User: admin'])
    const text = await sendRaw(
      t,
      door.port,
      handshake('/chat', [ORIGIN, cookie]) + smuggled.repeat(3),
    )
    assert.match(text, /^HTTP\/1\.1 418 Not A Teapot\r\n/)
    assert.equal(headerOf(text, 'content-type'), 'text/plain')
    assert.equal(headerOf(text, 'connection')?.toLowerCase(), 'close')
    assert.doesNotMatch(text, /x-hop|x-stepgate-acr|set-cookie/i)
    assert.equal(framesOf(text), body)
    assert.equal(received().length, 1)
    assert.doesNotMatch(received()[0] ?? '', /denied|admin/)
  })

  test('is no WebSocket if it is 200', async (t) => {
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes'
    const { door, cookie, received } = await doorTo(t, answering(answer))
    const smuggled = rawRequest('GET /denied HTTP/1.1', ['Host: a'])
    const text = await sendRaw(t, door.port, handshake('/chat', [ORIGIN, cookie]) + smuggled)
    assert.deepEqual(statusesOf(text), [200])
    assert.match(text, /yes$/)
    assert.doesNotMatch(received().join(''), /denied/)
  })

  const WRONG: Record<string, string> = {
    'the answer to another key': switching().replace(ACCEPT, 'AAAAAAAAAAAAAAAAAAAAAAAAAAA='),
    'no answer to the key': switching().replace(/Sec-WebSocket-Accept.*\r\n/, ''),
    'two answers': switching([`Sec-WebSocket-Accept: ${ACCEPT}`]),
    'another protocol': switching().replace('websocket', 'h2c'),
    'no protocol': switching().replace('Upgrade: websocket\r\n', '').concat(frame('x')),
    'no HTTP': 'SSH-2.0-OpenSSH_9.2\r\n\r\n',
  }
  for (const [name, bytes] of Object.entries(WRONG)) {
    test(`is a 502 if it switches with ${name}, and nothing is sent there`, async (t) => {
      const { door, cookie, connections } = await doorTo(t, answering(bytes))
      const smuggled = rawRequest('GET /denied HTTP/1.1', ['Host: a'])
      const text = await sendRaw(t, door.port, handshake('/chat', [ORIGIN, cookie]) + smuggled)
      assert.deepEqual(statusesOf(text), [502])
      assert.equal(jsonOf(text).error, 'upstream_invalid_response')
      for (const { received, socket } of connections) {
        assert.doesNotMatch(received, /denied/)
        await until(async () => socket.destroyed || socket.readableEnded)
      }
    })
  }

  test('is a 504 if it says nothing', async (t) => {
    const { door, cookie } = await doorTo(t, () => {}, { STEPGATE_UPSTREAM_TIMEOUT: '1s' })
    const text = await sendRaw(t, door.port, handshake('/chat', [ORIGIN, cookie]))
    assert.deepEqual(statusesOf(text), [504])
    assert.equal(jsonOf(text).error, 'upstream_timed_out')
  })

  test('is a 502 if there is none', async (t) => {
    const { door, cookie } = await doorTo(t, ({ socket }) => socket.resetAndDestroy())
    const text = await sendRaw(t, door.port, handshake('/chat', [ORIGIN, cookie]))
    assert.deepEqual(statusesOf(text), [502])
    assert.equal(jsonOf(text).error, 'upstream_unreachable')
  })

  test('nobody waits for whose client has left, whatever it had sent, or who sends without end', async (t) => {
    const { door, cookie, connections } = await doorTo(t, () => {})
    const leave = {
      end: (socket: Socket) => socket.end(),
      reset: (socket: Socket) => socket.resetAndDestroy(),
      'end with more': (socket: Socket) => socket.end('x'.repeat(60_000)),
      'end with much more': (socket: Socket) => socket.end('x'.repeat(1_000_000)),
      'much more': (socket: Socket) => socket.write('x'.repeat(1_000_000)),
    }
    for (const [name, leaves] of Object.entries(leave)) {
      const before = connections.length
      const client = rawClient(t, door.port, `${handshake('/chat', [ORIGIN, cookie])}first`)
      await until(async () => connections[before]?.received.endsWith('\r\n\r\n') === true)
      const socket = connections[before]?.socket
      leaves(client.socket)
      await until(async () => socket?.destroyed === true || socket?.readableEnded === true)
      assert.doesNotMatch(connections[before]?.received ?? '', /first|xxx/, name)
    }
  })

  test('what the client has sent in the meantime follows its handshake, in order and once', async (t) => {
    const { door, cookie, connections } = await doorTo(t, () => {})
    const client = rawClient(t, door.port, `${handshake('/chat', [ORIGIN, cookie])}[0`)
    await until(async () => connections[0]?.received.endsWith('\r\n\r\n') === true)
    const sent = Array.from({ length: 500 }, (_, at) => `,${at + 1}`)
    for (const piece of sent) await new Promise((resolve) => client.socket.write(piece, resolve))
    connections[0]?.socket.write(switching())
    await client.until((text) => text.includes('\r\n\r\n'))
    client.socket.write(']')
    await until(async () => connections[0]?.received.endsWith(']') === true)
    const [, behind] = connections[0]?.received.split('\r\n\r\n') ?? []
    assert.equal(behind, `[0${sent.join('')}]`)
  })
})
