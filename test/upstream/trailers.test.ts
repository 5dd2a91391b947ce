import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type TestContext, test } from 'node:test'
import { announcedTrailers, pickTrailers } from '../../proxy/upstream/trailers.ts'
import { request, startFront } from './front.ts'
import { answering, listen, rawApplication, rawClient } from './sockets.ts'

const HEAD = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n'
const SENT = [
  'X-Sum: gr\xfc\xdf',
  'x-sum: two',
  'Server-Timing: app;dur=53',
  'Content-Type: text/html',
  'Set-Cookie: __Host-stepgate=evil',
  'X-Stepgate-Acr: twilio_sms',
  'X-Unannounced: 1',
  'Constructor: 1',
  '__proto__: 2',
]

/** What announces all that could be in a trailer. */
const UNSAFE = 'Content-Type, Set-Cookie, Content-Length, X-Stepgate-Acr'
const NAMES = `x-sum, Server-Timing, Constructor, __proto__, ${UNSAFE}`

async function answerTo(t: TestContext, sent: string, response: string) {
  const { origin, connections } = await rawApplication(t, answering(response))
  const front = await startFront(t, origin)
  const { text } = await rawClient(t, front.port, sent).ended
  return { text, received: connections[0]?.received ?? '' }
}

test('trailers of the application that it has announced arrive, and none that is unsafe', async (t) => {
  const response = `${HEAD}Trailer: ${NAMES}\r\n\r\n2\r\nok\r\n0\r\n${SENT.join('\r\n')}\r\n\r\n`
  const uploads = `${request('POST /', 'Transfer-Encoding: chunked')}0\r\n\r\n`
  for (const sent of [request('GET /', 'TE: trailers'), request('GET /'), uploads]) {
    const { text } = await answerTo(t, sent, response)
    assert.match(text, /\r\nTrailer: x-sum, Server-Timing, Constructor, __proto__\r\n/)
    const end = text.slice(text.indexOf('\r\n0\r\n') + 5)
    assert.deepEqual(end.split('\r\n'), [
      ...['x-sum: gr\xfc\xdf', 'x-sum: two', 'server-timing: app;dur=53'],
      ...['constructor: 1', '__proto__: 2', '', ''],
    ])
  }
})

test('trailers that nobody announced, or that the connection has no place for, are left out', async (t) => {
  const trailed = (names: string) =>
    `${HEAD}${names}\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\nContent-Type: text/html\r\n\r\n`
  for (const [sent, response] of [
    [request('GET /'), trailed('')],
    [request('GET /'), trailed('Trailer: Content-Type\r\n')],
    [request('GET /').replace('1.1', '1.0'), trailed('Trailer: X-Sum\r\n')],
    [request('HEAD /'), `${HEAD}Trailer: X-Sum\r\n\r\n`],
    [request('GET /'), 'HTTP/1.1 304 Not Modified\r\nTrailer: X-Sum\r\n\r\n'],
    [request('GET /'), 'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nContent-Length: 2\r\n\r\nok'],
  ] as const) {
    const { text } = await answerTo(t, sent, response)
    assert.match(text, /^HTTP\/1.1 (200|304)/)
    assert.doesNotMatch(text, /x-sum|trailer:|content-type/i)
  }
})

test('trailers of a request arrive the same way, and nobody can say who they are in one', async (t) => {
  const names = `${NAMES}, X-Forwarded-User, X_Forwarded_User, Host, Transfer-Encoding, bad name`
  const trailers = [...SENT, 'X-Forwarded-User: admin', 'X_Forwarded_User: admin', 'Host: evil']
  const sent = `${request('POST /', 'TE: gzip, trailers', 'Transfer-Encoding: chunked', `Trailer: ${names}`)}2\r\nhi\r\n0\r\n${trailers.join('\r\n')}\r\n\r\n`
  const seen = Promise.withResolvers<[trailers: readonly string[], te: unknown, body: string]>()
  const server = createServer(async (incoming, response) => {
    let body = ''
    for await (const chunk of incoming) body += chunk
    seen.resolve([incoming.rawTrailers, incoming.headers.te, body])
    response.end('ok')
  })
  const front = await startFront(t, new URL(`http://127.0.0.1:${await listen(t, server)}`))
  const client = rawClient(t, front.port, sent)
  assert.deepEqual(await seen.promise, [
    [
      ...['x-sum', 'gr\xfc\xdf', 'x-sum', 'two', 'server-timing', 'app;dur=53'],
      ...['constructor', '1', '__proto__', '2'],
    ],
    'trailers',
    'hi',
  ])
  assert.match((await client.ended).text, /ok$/)
})

test('a Trailer header without chunks, or that names nothing safe, is not passed on', async (t) => {
  const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
  for (const sent of [
    request('GET /', 'Trailer: X-Sum'),
    `${request('POST /', 'Trailer: X-Sum', 'Content-Length: 2')}hi`,
    `${request('POST /', 'Trailer: Cookie', 'Transfer-Encoding: chunked')}0\r\nCookie: a\r\n\r\n`,
  ]) {
    assert.doesNotMatch((await answerTo(t, sent, ok)).received, /trailer|x-sum|cookie/i)
  }
})

test('a length in a trailer makes a response one that is broken off', async (t) => {
  const response = `${HEAD}Trailer: Content-Length\r\n\r\n2\r\nok\r\n0\r\nContent-Length: 9\r\n\r\n`
  const { text } = await answerTo(t, request('GET /'), response)
  assert.doesNotMatch(text, /content-length|\r\n0\r\n/i)
})

test('names are judged as the least careful application reads them', () => {
  const pass = (name: string) => name !== 'X-No'
  assert.deepEqual(announcedTrailers('X-Yes,X-No, content_length ,,Sec.Origin', pass), [
    'X-Yes',
    'Sec.Origin',
  ])
  assert.equal(pickTrailers(['a', '1'], ['b']), undefined)
  assert.deepEqual(pickTrailers(['__proto__', '1', 'B', '2'], ['__proto__', 'b'])?.b, ['2'])
})
