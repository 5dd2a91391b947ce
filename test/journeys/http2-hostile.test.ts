import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { constants } from 'node:http2'
import { after, before, describe, test } from 'node:test'
import { valuesUnder } from '../support/counting-upstream.ts'
import { ask, connectHttp2 } from '../support/http2-client.ts'
import {
  connectFrames,
  END_HEADERS,
  END_STREAM,
  FRAME,
  type Frame,
  frame,
  headerBlock,
  requestFields,
} from '../support/http2-frames.ts'
import { openTlsDoor, type TlsDoor } from '../support/tls-door.ts'
import { until } from '../support/until.ts'

const WHOLE = END_HEADERS | END_STREAM
const data = (text: string, last = true) =>
  frame(FRAME.DATA, last ? END_STREAM : 0, 1, Buffer.from(text, 'latin1'))
const whole = (block: Buffer) => [frame(FRAME.HEADERS, WHOLE, 1, block)]
const withBody = (block: Buffer, text: string) => [
  frame(FRAME.HEADERS, END_HEADERS, 1, block),
  data(text),
]
const withField = (name: string, value: string) => whole(requestFields({}, [[name, value]]))
const withPath = (path: string) => whole(requestFields({ ':path': path }))
const post = (...more: [string, string][]) => requestFields({ ':method': 'POST' }, more)

/** What no upstream may see anything of. */
const REFUSED: Readonly<Record<string, readonly Buffer[]>> = {
  'a transfer encoding': withBody(
    post(['transfer-encoding', 'chunked']),
    '0\r\n\r\nGET /smuggled HTTP/1.1\r\n',
  ),
  'a transfer encoding without a body': withField('transfer-encoding', 'chunked'),
  'a connection header': withField('connection', 'close, x-forwarded-user'),
  'a keep-alive header': withField('keep-alive', 'timeout=5'),
  'a proxy-connection header': withField('proxy-connection', 'keep-alive'),
  'an upgrade': withField('upgrade', 'websocket'),
  'an upgrade to itself': withField('upgrade', 'h2c'),
  'a te header of coding': withField('te', 'gzip, trailers'),
  'a length and no body': whole(post(['content-length', '5'])),
  'a length that is too small': withBody(
    post(['content-length', '2']),
    'xxGET /smuggled HTTP/1.1\r\n\r\n',
  ),
  'a length that is too large': withBody(post(['content-length', '50']), 'xx'),
  'two lengths': withBody(post(['content-length', '2'], ['content-length', '3']), 'xx'),
  'a length that is none': withBody(post(['content-length', '2, 2']), 'xx'),
  'a length with a sign': withBody(post(['content-length', '+2']), 'xx'),
  'an upper-case name': withField('X-Forwarded-User', 'admin'),
  'a line break in the path': withPath('/public/x HTTP/1.1\r\nX-Forwarded-User: admin\r\n\r\n'),
  'a space in the path': withPath('/public/x HTTP/1.0'),
  'a NUL in the path': withPath('/public/x\0'),
  'an empty path': withPath(''),
  'a path without a slash': withPath('public/x'),
  'an asterisk': whole(requestFields({ ':method': 'OPTIONS', ':path': '*' })),
  'an absolute path': withPath('https://app.example.com/public/x'),
  'two slashes': withPath('//public/x'),
  'dot segments': withPath('/public/../x'),
  'a fragment': withPath('/public/x#y'),
  'two paths': whole(requestFields({}, [[':path', '/y']])),
  'two authorities': whole(requestFields({}, [[':authority', 'evil.example']])),
  'a pseudo-header after others': whole(
    headerBlock([
      ['x-a', 'b'],
      [':method', 'GET'],
      [':path', '/public/x'],
      [':scheme', 'https'],
      [':authority', 'app.example.com'],
    ]),
  ),
  'a pseudo-header of answers': whole(requestFields({ ':status': '200' })),
  'a pseudo-header of nobody': whole(requestFields({ ':x': 'y' })),
  'a protocol without the extension': whole(
    requestFields({ ':method': 'CONNECT', ':protocol': 'websocket' }),
  ),
  'no method': whole(requestFields({ ':method': undefined })),
  'no path': whole(requestFields({ ':path': undefined })),
  'no authority and no host': whole(requestFields({ ':authority': undefined })),
  'an authority and another host': whole(requestFields({}, [['host', 'evil.example']])),
  'an authority and two hosts': whole(
    requestFields({}, [
      ['host', 'app.example.com'],
      ['host', 'evil.example'],
    ]),
  ),
  'two hosts': whole(
    requestFields({ ':authority': undefined }, [
      ['host', 'app.example.com'],
      ['host', 'app.example.com'],
    ]),
  ),
  'an authority with a user': whole(requestFields({ ':authority': 'evil@app.example.com' })),
  'an authority with a path': whole(requestFields({ ':authority': 'app.example.com/x' })),
  'an empty authority': whole(requestFields({ ':authority': '' })),
  'a method in lower case': whole(requestFields({ ':method': 'get' })),
  'a method that is made up': whole(requestFields({ ':method': 'FETCH' })),
  'a method with a target': whole(requestFields({ ':method': 'GET /smuggled' })),
  CONNECT: whole(requestFields({ ':method': 'CONNECT', ':path': undefined, ':scheme': undefined })),
  'CONNECT with a path': whole(requestFields({ ':method': 'CONNECT' })),
  TRACE: whole(requestFields({ ':method': 'TRACE' })),
}

/** Fields that nghttp2 takes out of a request by itself, or refuses it for. */
const LEFT_OUT: Readonly<Record<string, readonly Buffer[]>> = {
  'a line break in a value': withField('x-a', 'b\r\nx-forwarded-user: admin'),
  'a bare line feed in a value': withField('x-a', 'b\nx-forwarded-user: admin'),
  'a carriage return in a value': withField('x-a', 'b\rc'),
  'a NUL in a value': withField('x-a', 'b\0c'),
  'a line break in a name': withField('x-a: b\r\nx-c', 'd'),
  'a name with a space': withField('x-a ', 'b'),
  'a name with a colon': withField('x-a:b', 'c'),
  'an empty name': withField('', 'x'),
}

describe('what HTTP/2 could bring and HTTP/1.1 would read otherwise', () => {
  let opened: TlsDoor
  let closeAll: (() => unknown)[]
  before(async () => {
    closeAll = []
    opened = await openTlsDoor({ after: (close) => closeAll.push(close) })
  })
  after(async () => {
    for (const close of closeAll.reverse()) await close()
  })

  for (const [name, frames] of Object.entries(REFUSED)) {
    test(`${name} is refused, and the next request is served`, async (t) => {
      const { door, upstream } = opened
      const client = await connectFrames(t, door.port)
      client.send(...frames)
      const end = await client.first(endsStream)
      const status = statusOf(client.frames)
      assert.ok(status === undefined || (status >= 400 && status < 500), `${status} ${end?.type}`)
      const session = await connectHttp2(t, door.port)
      assert.equal((await ask(session, { ':path': '/public/after' })).status, 200)
      const targets = upstream.take().map(({ target }) => target)
      assert.deepEqual(targets, ['/public/after'])
    })
  }

  for (const [name, frames] of Object.entries(LEFT_OUT)) {
    test(`${name} reaches nobody`, async (t) => {
      const { door, upstream } = opened
      const client = await connectFrames(t, door.port)
      client.send(...frames)
      await client.first(endsStream)
      const arrived = upstream.take()
      assert.ok(arrived.length <= 1)
      assert.ok(arrived.every(({ rawHeaders }) => !/admin|x-a|x-c/.test(rawHeaders.join('\n'))))
      assert.ok(arrived.every(({ rawHeaders }) => rawHeaders.length === PLAIN_HEADERS))
    })
  }

  test('a host that is the authority, or stands for it, is one', async (t) => {
    const { door, upstream } = opened
    for (const block of [
      requestFields({}, [['host', 'app.example.com']]),
      requestFields({ ':authority': undefined }, [['host', 'app.example.com']]),
    ]) {
      const client = await connectFrames(t, door.port)
      client.send(...whole(block))
      await client.first(endsStream)
      const [arrived, ...more] = upstream.take()
      assert.ok(arrived)
      assert.deepEqual(more, [])
      assert.deepEqual(valuesUnder(arrived, 'host'), ['app.example.com'])
    }
  })

  test('identity and address headers are ours alone', async (t) => {
    const { door, upstream } = opened
    const client = await connectFrames(t, door.port)
    const names = [
      'x-forwarded-user',
      'x_forwarded_user',
      'x-stepgate-acr',
      'forwarded',
      'x-real-ip',
    ]
    client.send(
      ...whole(
        requestFields(
          {},
          names.map((name) => [name, '6.6.6.6']),
        ),
      ),
    )
    await client.first(endsStream)
    const [arrived] = upstream.take()
    assert.ok(arrived)
    assert.ok(!arrived.rawHeaders.includes('6.6.6.6'))
    assert.deepEqual(valuesUnder(arrived, 'forwarded'), [
      'for=127.0.0.1;host=app.example.com;proto=https',
    ])
  })
})

/** Names and values of a request that has no field of its own: host, five of ours, connection. */
const PLAIN_HEADERS = 14

/** Whether this is the last that comes on the stream of the request, or on the connection. */
function endsStream({ type, flags, stream }: Frame): boolean {
  if (type === FRAME.GOAWAY) return true
  if (stream !== 1) return false
  const isContent = type === FRAME.DATA || type === FRAME.HEADERS
  return type === FRAME.RST_STREAM || (isContent && (flags & END_STREAM) !== 0)
}

/** Of the answer to the request; statuses of HPACK's static table, or as literal digits. */
function statusOf(frames: readonly Frame[]): number | undefined {
  const head = frames.find(({ type, stream }) => type === FRAME.HEADERS && stream === 1)
  if (head === undefined) return undefined
  const indexed = [200, 204, 206, 304, 400, 404, 500][(head.payload[0] ?? 0) - 0x88]
  return indexed ?? Number(/[345]\d\d/.exec(head.payload.toString('latin1'))?.[0] ?? 405)
}

test('requests that are taken back at once end the connection, and few reach the application', async (t) => {
  const { door, upstream } = await openTlsDoor(t)
  const client = await connectFrames(t, door.port)
  const cancel = Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL])
  for (let id = 1; id < 4000; id += 2) {
    client.send(
      frame(FRAME.HEADERS, WHOLE, id, requestFields()),
      frame(FRAME.RST_STREAM, 0, id, cancel),
    )
  }
  const bye = await client.first(({ type }) => type === FRAME.GOAWAY)
  assert.ok(bye)
  const session = await connectHttp2(t, door.port)
  assert.equal((await ask(session, { ':path': '/public/x' })).status, 200)
  assert.ok(upstream.take().length < 1000)
})

test('a header that goes on without end ends the connection', async (t) => {
  const { door, upstream } = await openTlsDoor(t)
  const client = await connectFrames(t, door.port)
  client.send(frame(FRAME.HEADERS, END_STREAM, 1, requestFields()))
  const more = frame(FRAME.CONTINUATION, 0, 1, headerBlock([['x-a', 'b']]))
  for (let count = 0; count < 1000; count++) client.send(more)
  assert.ok(await client.first(({ type }) => type === FRAME.GOAWAY))
  assert.deepEqual(upstream.take(), [])
})

test('headers beyond 64 kB are refused', async (t) => {
  const { door, upstream } = await openTlsDoor(t)
  const session = await connectHttp2(t, door.port)
  const large = Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`x-${n}`, 'x'.repeat(15_000)]))
  const { status } = await ask(session, { ':path': '/public/x', ...large })
  assert.notEqual(status, 200)
  assert.deepEqual(upstream.take(), [])
})

test('of many requests at once on one connection only a hundred are under way', async (t) => {
  const held: ServerResponse[] = []
  const { door } = await openTlsDoor(t, {}, (_, response) => void held.push(response))
  const client = await connectFrames(t, door.port)
  const block = requestFields()
  for (let n = 0; n < 120; n++) client.send(frame(FRAME.HEADERS, WHOLE, 2 * n + 1, block))
  await until(async () => held.length >= 100)
  assert.ok(await client.first(({ type }) => type === FRAME.RST_STREAM))
  await until(
    async () => client.frames.filter(({ type }) => type === FRAME.RST_STREAM).length === 20,
  )
  assert.equal(held.length, 100)
})

test('pings and settings beyond measure do not stop others', async (t) => {
  const { door } = await openTlsDoor(t)
  const client = await connectFrames(t, door.port)
  client.socket.pause()
  const flood = Buffer.concat([
    ...Array.from({ length: 500 }, () => frame(FRAME.PING, 0, 0, Buffer.alloc(8))),
    ...Array.from({ length: 500 }, () => frame(FRAME.SETTINGS, 0, 0)),
  ])
  for (let count = 0; count < 20; count++) client.send(flood)
  const session = await connectHttp2(t, door.port)
  assert.equal((await ask(session, { ':path': '/public/x' })).status, 200)
})
