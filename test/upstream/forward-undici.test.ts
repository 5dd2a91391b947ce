import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { emptyNotes } from '../../proxy/access-notes.ts'
import { ASKED, request, startFront } from './front.ts'
import { answering, listen, rawApplication, rawClient } from './sockets.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

test('the target, method and headers arrive byte for byte, with ours and without the hop', async (t) => {
  const { origin, connections } = await rawApplication(t, answering(OK))
  // Node's own parser refuses bytes beyond ASCII in a target, but what was judged is what is sent.
  const target = '/caf\xe9/%7e/a;b=1?q=%20\xff&r=[x]|"'
  const front = await startFront(t, origin, { target })
  const sent = request(
    'OPTIONS /',
    'X-Name: gr\xfc\xdfe',
    'X_Forwarded_User: mallory',
    'TE: gzip, deflate;q=0.5',
    'Trailer: X-Sum',
    'Expect: 100-continue',
  )
  const { text } = await rawClient(t, front.port, sent).ended
  assert.match(text, /^HTTP\/1.1 200 OK\r\n/)
  assert.deepEqual(connections[0]?.received.split('\r\n'), [
    `OPTIONS ${target} HTTP/1.1`,
    'host: app.example.com',
    'connection: keep-alive',
    'X-Name: gr\xfc\xdfe',
    'X-Forwarded-For: 192.0.2.7',
    'X-Forwarded-Host: app.example.com',
    'X-Forwarded-Proto: https',
    'Forwarded: for=192.0.2.7;host=app.example.com;proto=https',
    'X-Request-Id: request-1',
    'X-Forwarded-User: alice',
    '',
    '',
  ])
  assert.deepEqual(await front.outcome(), { kind: 'answered', status: 200 })
})

test('the response arrives with its status line, header bytes and cookies, and with ours', async (t) => {
  const { origin } = await rawApplication(
    t,
    answering(
      [
        'HTTP/1.1 299 Quite Fine',
        'X-Mixed-CASE: gr\xfc\xdfe',
        'Set-Cookie: a=1; path=/',
        'set-cookie: b=2; HttpOnly',
        'Set-Cookie: __Host-stepgate=evil; path=/; Secure',
        'Set-Cookie: =__Host-stepgate=evil',
        'Set-Cookie: __HOST-Stepgate-Resume.1 =evil',
        'X-Stepgate-Acr: twilio_sms',
        'x_stepgate_x: 1',
        'Connection: x-hop, keep-alive',
        'X-Hop: 1',
        'Keep-Alive: timeout=77',
        'Content-Length: 2',
        '',
        'ok',
      ].join('\r\n'),
    ),
  )
  const front = await startFront(t, origin, { setCookies: ['__Host-stepgate=new; Path=/'] })
  const { text } = await rawClient(t, front.port, request('GET /')).ended
  const [head = '', body] = text.split('\r\n\r\n')
  assert.deepEqual(
    head.split('\r\n').filter((line) => !/^(date|connection):/i.test(line)),
    [
      'HTTP/1.1 299 Quite Fine',
      'X-Mixed-CASE: gr\xfc\xdfe',
      'Set-Cookie: a=1; path=/',
      'set-cookie: b=2; HttpOnly',
      'Content-Length: 2',
      'Set-Cookie: __Host-stepgate=new; Path=/',
    ],
  )
  assert.equal(body, 'ok')
})

for (const [cacheControl, sets] of [
  ['public, max-age=60', false],
  ['Max-Age=60, S-MaxAge=600', false],
  ['private, max-age=60', true],
  ['no-store', true],
] as const) {
  test(`a response with ${cacheControl} ${sets ? 'brings' : 'leaves out'} the session's cookie`, async (t) => {
    const answer = `HTTP/1.1 200 OK\r\nCache-Control: ${cacheControl}\r\nContent-Length: 2\r\n\r\nok`
    const { origin } = await rawApplication(t, answering(answer))
    const front = await startFront(t, origin, { setCookies: ['__Host-stepgate=new; Path=/'] })
    const { text } = await rawClient(t, front.port, request('GET /')).ended
    assert.equal(text.includes('Set-Cookie: __Host-stepgate=new'), sets)
  })
}

const empties: [name: string, line: string, response: string, head: RegExp][] = [
  [
    'HEAD keeps the length',
    'HEAD /',
    'HTTP/1.1 200 OK\r\nContent-Length: 99',
    /Content-Length: 99/,
  ],
  ['HEAD of a chunked page', 'HEAD /', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked', /200 OK/],
  ['304 keeps the length', 'GET /', 'HTTP/1.1 304 NM\r\nContent-Length: 99\r\nETag: "x"', /: 99/],
  ['204 has no length', 'GET /', 'HTTP/1.1 204 No Content\r\nContent-Length: 5', /204/],
]
for (const [name, line, response, expected] of empties) {
  test(`${name}, and has no body`, async (t) => {
    const { origin } = await rawApplication(t, answering(`${response}\r\n\r\n`))
    const front = await startFront(t, origin)
    const { text } = await rawClient(t, front.port, request(line)).ended
    assert.match(text, expected)
    assert.match(text, /\r\n\r\n$/)
    if (text.includes(' 204 ')) assert.doesNotMatch(text, /content-length/i)
    assert.equal((await front.outcome()).kind, 'answered')
  })
}

test('a page without a length, and one in chunks, arrive whole', async (t) => {
  for (const response of [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n',
    'HTTP/1.0 200 OK\r\n\r\nhello',
  ]) {
    const { origin } = await rawApplication(t, (connection) => connection.socket.end(response))
    const front = await startFront(t, origin)
    const { text } = await rawClient(t, front.port, request('GET /')).ended
    assert.match(text, /\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/)
    assert.deepEqual(await front.outcome(), { kind: 'answered', status: 200 })
  }
})

test('the head of a response arrives before there is any content', async (t) => {
  const { origin } = await rawApplication(
    t,
    answering('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n'),
  )
  const front = await startFront(t, origin)
  await rawClient(t, front.port, request('GET /')).until((text) => text.endsWith('\r\n\r\n'))
})

test('early hints are passed on, and other interim responses are not taken for the response', async (t) => {
  const { origin } = await rawApplication(
    t,
    answering(
      `HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX-A: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b>\r\nLink: as it is\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${OK}`,
    ),
  )
  const front = await startFront(t, origin)
  const { text } = await rawClient(t, front.port, request('GET /')).ended
  assert.match(
    text,
    /^HTTP\/1.1 103 Early Hints\r\nLink: <\/a.css>; rel=preload\r\n\r\nHTTP\/1.1 103 Early Hints\r\nLink: <\/b>,as it is\r\n\r\nHTTP\/1.1 200/,
  )
})

test('one connection serves many requests, one after another', async (t) => {
  let count = 0
  const server = createServer((_, response) => response.end(String(++count)))
  const port = await listen(t, server)
  const front = await startFront(t, new URL(`http://127.0.0.1:${port}`), { connections: 1 })
  let connections = 0
  server.on('connection', () => connections++)
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => rawClient(t, front.port, request('GET /')).ended),
  )
  assert.deepEqual(
    answers.map(({ text }) => Number(text.split('\r\n\r\n')[1])).sort((a, b) => a - b),
    Array.from({ length: 20 }, (_, i) => i + 1),
  )
  assert.equal(connections, 1)
})

test('closing waits for the exchange under way, and afterwards nothing is sent', async (t) => {
  const { origin, connections } = await rawApplication(t, answering('HTTP/1.1 200 OK\r\n'))
  const front = await startFront(t, origin)
  const client = rawClient(t, front.port, request('GET /'))
  await once(front.server, 'request')
  while (connections[0] === undefined || connections[0].received === '') {
    await new Promise(setImmediate)
  }
  const closed = front.forwarder.close()
  connections[0].socket.write('Content-Length: 2\r\n\r\nok')
  assert.match((await client.ended).text, /\r\n\r\nok$/)
  await closed
  assert.match((await rawClient(t, front.port, request('GET /')).ended).text, /unreachable$/)
  assert.equal(connections.length, 1)
})

test('a request that cannot be sent is an error of the caller, never a silent change', async (t) => {
  const { origin, connections } = await rawApplication(t, answering(OK))
  const front = await startFront(t, origin)
  const broken = { ...ASKED, target: '/a b' }
  front.server.removeAllListeners('request')
  const rejected = new Promise((resolve, reject) => {
    front.server.on('request', (incoming, outgoing) => {
      front.forwarder
        .forward(broken, incoming, outgoing, () => [], emptyNotes('forward'))
        .then(reject, resolve)
      outgoing.on('close', () => {})
    })
  })
  rawClient(t, front.port, request('GET /'))
  assert.match(String(await rejected), /invalid request path/)
  assert.equal(connections.length, 0)
})
