import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2'
import { type TestContext, test as unlimited } from 'node:test'
import type { DoorOptions } from '../support/door.ts'
import { freePort } from '../support/free-port.ts'
import { answerOf, ask, connectHttp2 } from '../support/http2-client.ts'
import { openTlsDoor } from '../support/tls-door.ts'
import { until } from '../support/until.ts'
import { type RawConnection, rawApplication } from '../upstream/sockets.ts'

/** A stream that does not end as it should fails its test rather than hang it. */
const test = (name: string, run: (t: TestContext) => Promise<void>) =>
  unlimited(name, { timeout: 60_000 }, run)

const GO_ON = 'HTTP/1.1 100 Continue\r\n\r\n'
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** A door with HTTP/2 before an application of sockets. */
async function open(
  t: TestContext,
  react: (connection: RawConnection) => void = () => {},
  options: DoorOptions = {},
) {
  const { origin, connections } = await rawApplication(t, react)
  const env = { STEPGATE_UPSTREAM: origin.origin, ...options.env }
  const { door } = await openTlsDoor(t, { ...options, env })
  const session = await connectHttp2(t, door.port)
  const received = async (pattern: RegExp) => {
    await until(async () => connections.some((one) => pattern.test(one.received)))
    return connections.find((one) => pattern.test(one.received)) as RawConnection
  }
  return { door, session, connections, received }
}

function upload(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  trailers?: OutgoingHttpHeaders,
): ClientHttp2Stream {
  const stream = session.request(
    { ':authority': 'app.example.com', ':method': 'POST', ':path': '/public/up', ...headers },
    { endStream: false, waitForTrailers: trailers !== undefined },
  )
  if (trailers) stream.on('wantTrailers', () => stream.sendTrailers(trailers))
  return stream
}

/** What `received` ends with: the trailers of a request in chunks. */
const trailersOf = (received: string) => received.split('\r\n0\r\n')[1]

const answerChunked = ({ socket, received }: RawConnection) => {
  if (/\r\n0\r\n([^\r]+\r\n)*\r\n$/.test(received)) socket.write(OK)
}

test('the head of an upload goes ahead of its body, and both sides may speak at once', async (t) => {
  const { session, received } = await open(t)
  const stream = upload(session, {})
  const { socket } = await received(/^POST \/public\/up [\s\S]*\r\n\r\n$/)
  socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n')
  const [first] = await once(stream, 'data')
  assert.equal(String(first), 'one')
  stream.write('ping')
  await received(/\r\n4\r\nping\r\n$/)
  socket.write('3\r\ntwo\r\n')
  const [second] = await once(stream, 'data')
  assert.equal(String(second), 'two')
  const ended = answerOf(stream)
  stream.end()
  await received(/\r\n0\r\n\r\n$/)
  socket.write('0\r\n\r\n')
  assert.equal((await ended).reset, 0)
})

test('trailers of a request arrive if it announced them, and nobody can say who they are in one', async (t) => {
  const { session, received } = await open(t, answerChunked)
  const stream = upload(
    session,
    {
      te: 'trailers',
      trailer: 'x-sum, Content-Type, X-Forwarded-User, Cookie, Host',
      // Its value is no header.
      'x-note': 'Trailer',
    },
    {
      'x-sum': ['gr\xfc\xdf', 'two'],
      'x-forwarded-user': 'admin',
      'x-forwarded-for': '192.0.2.1',
      'content-type': 'text/html',
      cookie: 'a=1',
      'x-other': '1',
      te: 'trailers',
    },
  )
  stream.end('hi')
  assert.equal((await answerOf(stream)).body, 'ok')
  const { received: text } = await received(/\r\n0\r\n/)
  assert.match(text, /\r\nTrailer: x-sum\r\n/)
  assert.match(text, /\r\nTE: trailers\r\n/)
  assert.match(text, /\r\n2\r\nhi\r\n0\r\n/)
  assert.equal(trailersOf(text), 'x-sum: gr\xfc\xdf\r\nx-sum: two\r\n\r\n')
})

test('trailers that HTTP/1.1 has no place for are left out with their announcement', async (t) => {
  const { session, received } = await open(t, ({ socket, received: text }) => {
    if (/\r\n\r\n(hi)?$/.test(text)) socket.write(OK)
  })
  const sized = upload(session, { trailer: 'x-sum', 'content-length': 2 }, { 'x-sum': '1' })
  sized.end('hi')
  assert.equal((await answerOf(sized)).body, 'ok')
  const without = { ':path': '/public/none', ':method': 'POST', trailer: 'x-sum' }
  assert.equal((await ask(session, without)).body, 'ok')
  const { received: text } = await received(/\/public\/none/)
  assert.match(text, /\r\ncontent-length: 2\r\n\r\nhi/)
  assert.doesNotMatch(text, /trailer|x-sum/i)
})

test('trailers of the application arrive, whether it got a body or not, and none that is unsafe', async (t) => {
  const names = 'X-Sum, ETag, Set-Cookie, Connection, X-Stepgate-Acr'
  const trailers =
    'X-Sum: gr\xfc\xdf\r\nX-Sum: two\r\nETag: "1"\r\nETag: "2"\r\nSet-Cookie: a=1\r\nConnection: close\r\nX-Stepgate-Acr: x\r\nX-Other: 1'
  const head = `HTTP/1.1 200 OK\r\nTrailer: ${names}\r\nTransfer-Encoding: chunked\r\n\r\n`
  const { session } = await open(t, ({ socket, received }) => {
    if (!received.endsWith('\r\n\r\n')) return
    socket.end(`${head}2\r\nok\r\n0\r\n${trailers}\r\n\r\n`, 'latin1')
  })
  const page = session.request({ ':authority': 'app.example.com', ':path': '/public/x' })
  const sent = upload(session, {})
  sent.end('hi')
  for (const stream of [page, sent]) {
    const come = once(stream, 'trailers')
    const answer = await answerOf(stream)
    assert.deepEqual([answer.status, answer.body, answer.reset], [200, 'ok', 0])
    assert.equal(answer.headers.trailer, 'X-Sum, ETag')
    const [fields] = await come
    assert.deepEqual(Object.entries(fields), [
      ['x-sum', 'gr\xfc\xdf, two'],
      ['etag', '"1"'],
    ])
  }
})

test('who waits is told to go on when the application says so, and never before', async (t) => {
  const { session, received } = await open(t)
  for (const [path, length, expectation] of [
    ['/public/sized', { 'content-length': 4 }, '100-continue'],
    ['/public/chunked', {}, '100-Continue'],
  ] as const) {
    const stream = upload(session, { ':path': path, expect: expectation, ...length })
    let invited = false
    stream.on('continue', () => {
      invited = true
    })
    const { socket, received: head } = await received(new RegExp(`${path} [^]*\r\n\r\n$`))
    assert.match(head, /\r\nExpect: 100-continue\r\n/)
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
    assert.equal(invited, false)
    socket.write(GO_ON)
    await once(stream, 'continue')
    stream.end('body')
    await received(new RegExp(`${path} [^]*\r\n\r\n(4\r\n)?body`))
    socket.write(OK)
    const answer = await answerOf(stream)
    assert.deepEqual([answer.status, answer.body, answer.reset], [200, 'ok', 0])
  }
})

test('what the application answers instead arrives, and ends the stream and nothing else', async (t) => {
  const { session, connections } = await open(t, ({ socket, received }) => {
    if (!received.endsWith('\r\n\r\n')) return
    const head = 'HTTP/1.1 413 Too Large\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n'
    socket.write(`${head}3\r\nbig\r\n0\r\nX-Sum: 1\r\n\r\n`)
  })
  for (const length of [{ 'content-length': 4 }, {}]) {
    const stream = upload(session, { expect: '100-continue', ...length })
    const trailers = once(stream, 'trailers')
    const answer = await answerOf(stream)
    assert.equal((await trailers)[0]['x-sum'], '1')
    const told = answer.hints.length
    assert.deepEqual([answer.status, answer.body, answer.reset, told], [413, 'big', 0, 0])
  }
  const next = await ask(session, { ':path': '/public/next' })
  assert.equal(next.status, 413)
  assert.equal(connections.length, 3)
})

test('who waits for an application that is down gets a page, and the stream ends', async (t) => {
  const env = { STEPGATE_UPSTREAM: `http://127.0.0.1:${await freePort()}` }
  const { session } = await open(t, () => {}, { env })
  const answer = await answerOf(upload(session, { expect: '100-continue' }))
  assert.deepEqual([answer.status, answer.hints.length, answer.reset], [502, 0, 0])
})

test('who may not pass is not told to go on, and a page of ours that reads invites', async (t) => {
  const { door, session, connections } = await open(t)
  const pair = (await door.cookieOf()).replace('Cookie: ', '')
  for (const [path, status] of [
    ['/x', 401],
    ['/read-only', 403],
    ['//', 400],
  ] as const) {
    const cookie = status === 401 ? [] : [pair]
    const stream = upload(session, { ':path': path, expect: '100-continue', cookie })
    const answer = await answerOf(stream)
    assert.deepEqual([answer.status, answer.hints.length, answer.reset], [status, 0, 0], path)
  }
  const form = upload(session, {
    ':path': '/_stepgate/sign-out',
    'content-type': 'application/x-www-form-urlencoded',
    expect: '100-continue',
    origin: 'https://app.example.com',
    cookie: [pair],
  })
  await once(form, 'continue')
  form.end('x=1')
  assert.equal((await answerOf(form)).status, 303)
  assert.equal(connections.length, 0)
})

test('an expectation that nobody knows is none', async (t) => {
  const { session, received } = await open(t, answerChunked)
  const stream = upload(session, { expect: 'miracles' })
  stream.end('hi')
  assert.deepEqual((await answerOf(stream)).body, 'ok')
  assert.doesNotMatch((await received(/hi/)).received, /expect|miracles/i)
})

test('an answer that HTTP/2 has no words for is an error page, whatever was asked', async (t) => {
  const { door, session } = await open(t, ({ socket, received }) => {
    if (received.endsWith('\r\n\r\n')) {
      socket.write('HTTP/1.1 999 Denied\r\nContent-Length: 2\r\n\r\nno')
    }
  })
  const chunked = upload(session, {})
  chunked.end('hi')
  for (const asked of [ask(session, { ':path': '/public/x' }), answerOf(chunked)]) {
    const { status, body } = await asked
    assert.deepEqual([status, JSON.parse(body).error], [502, 'upstream_invalid_response'])
  }
  const failures = door.logs().filter(({ msg }) => msg === 'The application did not answer')
  assert.equal(failures.length, 2)
})

test('each application gets what is for it, and an address that is down is not noticed', async (t) => {
  const named = (name: string) =>
    rawApplication(t, ({ socket, received }) => {
      if (!/\r\n\r\n$|hi$/.test(received)) return
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${name}`)
    })
  const [api, shop] = [await named('api'), await named('shop')]
  const down = `http://127.0.0.1:${await freePort()}`
  const lines = `/public/api → ${down}, ${api.origin.origin}; shop.example.com → ${shop.origin.origin}`
  const { door, session } = await open(t, () => {}, { env: { STEPGATE_UPSTREAM: lines } })
  const asked = { ':path': '/public/api/x?y=1' }
  for (let count = 0; count < 3; count++) assert.equal((await ask(session, asked)).body, 'api')
  const post = { ...asked, ':method': 'POST' }
  assert.equal((await ask(session, post, 'hi')).body, 'api')
  assert.equal((await ask(session, { ...post, 'content-length': 2 }, 'hi')).body, 'api')
  const elsewhere = await ask(session, { ...asked, ':authority': 'shop.example.com' })
  assert.equal(elsewhere.body, 'shop')
  const nowhere = await ask(session, { ':path': '/public/x' })
  assert.deepEqual([nowhere.status, JSON.parse(nowhere.body).error], [404, 'no_upstream'])
  await until(async () => door.logs('request').length === 7)
  assert.deepEqual(
    door.logs('request').map(({ upstream }) => upstream),
    [...Array(5).fill(api.origin.origin), shop.origin.origin, undefined],
  )
  const passedOver = door.logs().filter(({ msg }) => String(msg).includes('passed over'))
  assert.deepEqual(
    passedOver.map(({ upstream }) => upstream),
    [down],
  )
})
