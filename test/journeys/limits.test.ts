import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { startCountingUpstream, YES } from '../support/counting-upstream.ts'
import { openDoor } from '../support/door.ts'
import { headerOf, rawRequest, statusesOf } from '../support/raw-exchange.ts'
import { openTlsDoor } from '../support/tls-door.ts'
import { until } from '../support/until.ts'
import { listen, rawClient } from '../upstream/sockets.ts'

const HOST = 'Host: app.example.com'
const PAGE = ['Sec-Fetch-Mode: navigate', 'Accept: text/html']
const SMALL = {
  STEPGATE_MAX_HEADER_SIZE: '16KB',
  STEPGATE_MAX_HEADERS: '20',
  STEPGATE_MAX_URL: '4KB',
  STEPGATE_MAX_BODY: '1KB',
}

async function open(t: TestContext, env: Readonly<Record<string, string>> = SMALL) {
  const upstream = await startCountingUpstream()
  t.after(() => upstream.close())
  return { upstream, ...(await openBefore(t, upstream.origin.origin, env)) }
}

async function openBefore(t: TestContext, origin: string, env: Readonly<Record<string, string>>) {
  const door = await openDoor({
    env: { STEPGATE_UPSTREAM: origin, STEPGATE_RULES: 'public /**', ...env },
  })
  t.after(() => door.close())
  const denied = () => door.logs('request.denied').map(({ reason }) => reason)
  return { door, denied, client: (bytes: string) => rawClient(t, door.port, bytes) }
}

/** An application that is a listener. */
async function application(t: TestContext, listener: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(t, createServer(listener))}`
}

const many = (count: number) => Array.from({ length: count }, (_, at) => `X-${at}: y`)
const get = (path: string, ...headers: readonly string[]) =>
  rawRequest(`GET ${path} HTTP/1.1`, [HOST, ...headers])

for (const [what, bytes, status, reason] of [
  ['a header too many', (more: string[]) => get('/', ...many(20), ...more), 431, 'header-count'],
  [
    'far more headers than that',
    (more: string[]) => get('/', ...more, ...many(200)),
    431,
    'header-count',
  ],
  [
    'headers that are too large',
    (more: string[]) => get('/', `Cookie: ${'x'.repeat(17_000)}`, ...more),
    431,
    'header-size',
  ],
  [
    'a target that is too long',
    (more: string[]) => get(`/?${'x'.repeat(4096)}`, ...more),
    414,
    'url-length',
  ],
  [
    'content that says it is too long',
    (more: string[]) => rawRequest('POST / HTTP/1.1', [HOST, 'Content-Length: 1025', ...more]),
    413,
    'body-size',
  ],
  [
    'content in chunks that becomes too long',
    (more: string[]) =>
      rawRequest(
        'POST / HTTP/1.1',
        [HOST, 'Transfer-Encoding: chunked', ...more],
        `200\r\n${'x'.repeat(512)}\r\n201\r\n${'x'.repeat(513)}\r\n`,
      ),
    413,
    'body-size',
  ],
] as const) {
  test(`${what} is refused, in JSON and by a page, and the connection ends`, async (t) => {
    const { upstream, client, denied, door } = await open(t)
    const { text: json } = await client(bytes([])).ended
    assert.deepEqual(statusesOf(json), [status])
    const told = JSON.parse(json.slice(json.indexOf('\r\n\r\n')))
    assert.equal(told.error, reason)
    assert.equal(told.request_id, headerOf(json, 'x-request-id'))
    const { text: page } = await client(bytes(PAGE)).ended
    assert.deepEqual(statusesOf(page), [status])
    assert.match(page, /<h1/)
    assert.equal(headerOf(page, 'connection'), 'close')
    assert.deepEqual(denied(), [reason, reason])
    assert.equal(door.logs('request.denied')[0]?.client, '127.0.0.1')
    assert.deepEqual(upstream.take(), [])
  })
}

test('what is just within the limits passes', async (t) => {
  const { client } = await open(t)
  for (const bytes of [
    get('/', 'Connection: close', ...many(18)),
    get('/', 'Connection: close', `Cookie: ${'x'.repeat(16_000)}`),
    get(`/?${'x'.repeat(4094)}`, 'Connection: close'),
    rawRequest(
      'POST / HTTP/1.1',
      [HOST, 'Content-Length: 1024', 'Connection: close'],
      'x'.repeat(1024),
    ),
    rawRequest(
      'POST / HTTP/1.1',
      [HOST, 'Transfer-Encoding: chunked', 'Connection: close'],
      `400\r\n${'x'.repeat(1024)}\r\n0\r\n\r\n`,
    ),
  ]) {
    assert.deepEqual(statusesOf((await client(bytes).ended).text), [200], bytes.slice(0, 80))
  }
})

test('a client that goes on sending has the answer first', async (t) => {
  const { client } = await open(t)
  const bytes = rawRequest('POST / HTTP/1.1', [HOST, 'Content-Length: 3000000'])
  const upload = client(bytes + 'x'.repeat(3_000_000))
  const { text, reset } = await upload.ended
  assert.deepEqual(statusesOf(text), [413])
  assert.equal(reset, false)
})

test('nothing but the refusal of content is answered on its connection', async (t) => {
  const { client } = await open(t)
  const chunks = `401\r\n${'x'.repeat(1025)}\r\n0\r\n\r\n`
  const bytes = rawRequest('POST / HTTP/1.1', [HOST, 'Transfer-Encoding: chunked'], chunks)
  const { text } = await client(bytes + get('/behind')).ended
  assert.deepEqual(statusesOf(text), [413])
})

test('a response that has begun is cut when the content becomes too long', async (t) => {
  const origin = await application(t, (_, response) => void response.write('begun'))
  const { client, denied } = await openBefore(t, origin, SMALL)
  const upload = client(rawRequest('POST / HTTP/1.1', [HOST, 'Transfer-Encoding: chunked']))
  await upload.until((text) => text.includes('begun'))
  upload.socket.write(`401\r\n${'x'.repeat(1025)}\r\n`)
  const { text } = await upload.ended
  assert.ok(!text.endsWith('0\r\n\r\n'))
  assert.deepEqual(denied(), ['body-size'])
})

test('a megabyte of headers is refused with a word, and others are served', async (t) => {
  const { client, denied, door } = await open(t, {})
  const flood = client(get('/', `X-Large: ${'x'.repeat(1024 * 1024)}`))
  const { text } = await flood.ended
  assert.deepEqual(statusesOf(text), [431])
  assert.equal(JSON.parse(text.slice(text.indexOf('\r\n\r\n'))).error, 'header-size')
  assert.deepEqual(denied(), ['header-size'])
  assert.equal(door.logs('request.denied')[0]?.client, '127.0.0.1')
  assert.deepEqual(statusesOf((await client(get('/', 'Connection: close')).ended).text), [200])
})

test('thousands of headers are refused before they are gathered', async (t) => {
  const { client, denied } = await open(t)
  const { text } = await client(get('/', ...many(5000).map((header) => header.slice(2)))).ended
  assert.deepEqual(statusesOf(text), [431])
  assert.deepEqual(denied(), ['header-size'])
})

test('headers that come too slowly end with 408, also behind a request', async (t) => {
  const { client, denied } = await open(t, { STEPGATE_HEADER_TIMEOUT: '1s' })
  const first = client('GET / HTTP/1.1\r\nHost: a')
  const drip = setInterval(() => first.socket.write('a'), 50)
  t.after(() => clearInterval(drip))
  const second = client(`${get('/')}GET / HTTP/1.1\r\n`)
  const { text } = await first.ended
  assert.deepEqual(statusesOf(text), [408])
  assert.equal(JSON.parse(text.slice(text.indexOf('\r\n\r\n'))).error, 'header-timeout')
  assert.deepEqual(statusesOf((await second.ended).text), [200, 408])
  assert.deepEqual(denied(), ['header-timeout', 'header-timeout'])
})

test('a connection that never says anything ends without a word', async (t) => {
  const { client, denied } = await open(t, { STEPGATE_HEADER_TIMEOUT: '1s' })
  assert.equal((await client('').ended).text, '')
  assert.deepEqual(denied(), [])
})

test('a connection between two requests ends after its time', async (t) => {
  const { client, denied } = await open(t, { STEPGATE_KEEP_ALIVE_TIMEOUT: '1s' })
  const { text } = await client(get('/')).ended
  assert.deepEqual(statusesOf(text), [200])
  assert.match(headerOf(text, 'keep-alive') ?? '', /^timeout=1$/)
  assert.deepEqual(denied(), [])
})

const IDLE = { STEPGATE_BODY_IDLE_TIMEOUT: '1s' }

test('content that stands still is answered by 408, and a silent application by nothing', async (t) => {
  let sendLast = () => {}
  const origin = await application(t, (request, response) => {
    request.resume()
    if (request.url !== '/events') return
    response.write('data: first\n\n')
    sendLast = () => void response.end('data: last\n\n')
  })
  const { client, denied } = await openBefore(t, origin, IDLE)
  const events = client(get('/events', 'Connection: close'))
  await events.until((text) => text.includes('first'))
  const polling = client(get('/poll'))
  const upload = client(rawRequest('POST / HTTP/1.1', [HOST, 'Content-Length: 10'], 'abc'))
  const page = client(
    rawRequest('POST / HTTP/1.1', [HOST, 'Transfer-Encoding: chunked', ...PAGE], '3\r\nabc\r\n'),
  )
  const { text } = await upload.ended
  assert.deepEqual(statusesOf(text), [408])
  assert.equal(JSON.parse(text.slice(text.indexOf('\r\n\r\n'))).error, 'body-idle')
  const shown = await page.ended
  assert.deepEqual(statusesOf(shown.text), [408])
  assert.match(shown.text, /<h1/)
  assert.deepEqual(denied(), ['body-idle', 'body-idle'])
  assert.ok(!events.socket.destroyed && !polling.socket.destroyed)
  sendLast()
  assert.match((await events.ended).text, /last/)
})

test('content that node:http gives up without a word, behind an Upgrade, stands still too', async (t) => {
  const origin = await application(t, (request, response) => {
    request.resume().on('end', () => response.end(YES))
  })
  const { client, denied } = await openBefore(t, origin, IDLE)
  const headers = [HOST, 'Upgrade: h2c', 'Connection: Upgrade', 'Transfer-Encoding: chunked']
  const broken = rawRequest('POST / HTTP/1.1', headers, `3\r\nabcd\r\n0\r\n\r\n${get('/behind')}`)
  const alone = client(broken)
  const second = client(get('/') + broken)
  assert.deepEqual(statusesOf((await alone.ended).text), [408])
  assert.deepEqual(statusesOf((await second.ended).text), [200, 408])
  assert.deepEqual(denied(), ['body-idle', 'body-idle'])
})

test('an application that takes nothing of an upload is no fault of its client', async (t) => {
  let taken = 0
  let goOn = () => {}
  const origin = await application(t, (request, response) => {
    if (request.url === '/held') {
      request.pause()
      goOn = () => void request.resume().on('end', () => response.end(String(taken)))
      request.on('data', (piece: Buffer) => {
        taken += piece.length
      })
      request.pause()
    } else request.resume()
  })
  const { client, denied } = await openBefore(t, origin, IDLE)
  const size = 20_000_000
  const held = client(
    rawRequest(
      'POST /held HTTP/1.1',
      [HOST, `Content-Length: ${size}`, 'Connection: close'],
      'x'.repeat(size),
    ),
  )
  await until(
    async () => held.socket.bytesWritten - held.socket.writableLength === 0 || taken === 0,
  )
  const still = client(rawRequest('POST / HTTP/1.1', [HOST, 'Content-Length: 10'], 'abc'))
  await still.ended
  assert.deepEqual(denied(), ['body-idle'])
  goOn()
  const { text } = await held.ended
  assert.ok(text.endsWith(String(size)), text)
})

test('a client that waits to be asked for its content is waited for', async (t) => {
  const server = createServer()
  let invite = () => {}
  server.on('checkContinue', (request, response) => {
    invite = () => {
      response.writeContinue()
      request.resume().on('end', () => response.end(YES))
    }
  })
  server.on('request', (request) => void request.resume())
  const { client } = await openBefore(t, `http://127.0.0.1:${await listen(t, server)}`, IDLE)
  const headers = [HOST, 'Content-Length: 3', 'Expect: 100-continue', 'Connection: close']
  const waiting = client(rawRequest('POST / HTTP/1.1', headers))
  await once(server, 'checkContinue')
  const still = client(rawRequest('POST / HTTP/1.1', [HOST, 'Content-Length: 10'], 'abc'))
  assert.deepEqual(statusesOf((await still.ended).text), [408])
  invite()
  await waiting.until((text) => text.includes(' 100 '))
  waiting.socket.write('abc')
  assert.deepEqual(statusesOf((await waiting.ended).text), [100, 200])
  const invited = client(rawRequest('POST / HTTP/1.1', headers))
  await once(server, 'checkContinue')
  invite()
  assert.deepEqual(statusesOf((await invited.ended).text), [100, 408])
})

test('a response that nobody takes is cut, and the application hears of it', async (t) => {
  const gone = Promise.withResolvers<void>()
  const origin = await application(t, (_, response) => {
    response.on('close', () => gone.resolve())
    const fill = () => {
      while (response.write(Buffer.alloc(65_536, 'x')));
    }
    response.on('drain', fill)
    fill()
  })
  const { door, denied } = await openBefore(t, origin, IDLE)
  const socket = connect(door.port, '127.0.0.1')
    .on('error', () => {})
    .pause()
  t.after(() => socket.destroy())
  socket.write(get('/'))
  await gone.promise
  await until(async () => denied().length > 0)
  assert.deepEqual(denied(), ['response-idle'])
})

test('of one client address only so many connections are held', async (t) => {
  const { client, door } = await open(t, { STEPGATE_CONNECTIONS_PER_ADDRESS: '2' })
  const [first, second] = [client(get('/')), client(get('/'))]
  await first.until((text) => text.includes(YES))
  await second.until((text) => text.includes(YES))
  assert.equal((await client(get('/')).ended).text, '')
  const [warning] = door.logs().filter(({ reason }) => reason === 'connections')
  assert.equal(warning?.client, '127.0.0.1')
  first.socket.destroy()
  await until(async () => {
    const { text } = await client(get('/', 'Connection: close')).ended
    return text.includes(YES)
  })
})

test('of one connection so many requests are answered at once, and what is behind them never begins', async (t) => {
  const held: (() => void)[] = []
  const origin = await application(t, (request, response) => {
    held.push(() => response.end(`[${request.url}]`))
  })
  const { client, door } = await openBefore(t, origin, {})
  const post = (path: string) =>
    rawRequest(`POST ${path} HTTP/1.1`, [HOST, 'Content-Length: 1000000'], 'x'.repeat(1_000_000))
  for (const more of [get('/more').repeat(100), post('/more').repeat(20)]) {
    const before = held.length
    const greedy = client(Array.from({ length: 16 }, (_, at) => get(`/${at}`)).join(''))
    await until(async () => held.length === before + 16)
    await new Promise((resolve) => greedy.socket.write(more, resolve))
    for (const answer of held.slice(before).reverse()) answer()
    const { text } = await greedy.ended
    assert.deepEqual(
      text.match(/\[\S+\]/g),
      Array.from({ length: 16 }, (_, at) => `[/${at}]`),
    )
    const said = text.match(/^connection: \S+/gim)
    assert.deepEqual(said?.slice(-2), ['Connection: keep-alive', 'Connection: close'])
    assert.equal(said?.length, 16)
    assert.equal(held.length, before + 16)
  }
  await until(async () => door.logs('request').length === 32)
  const [warning, ...others] = door.logs().filter(({ reason }) => reason === 'pipelining')
  assert.equal(warning?.client, '127.0.0.1')
  assert.deepEqual(others, [])
})

test('a connection on which many more requests come than are answered at once is cut off', async (t) => {
  let open = 0
  let most = 0
  const origin = await application(t, (_, response) => {
    open++
    most = Math.max(most, open)
    response.on('close', () => open--)
  })
  const { client, door } = await openBefore(t, origin, {})
  // What comes behind an Upgrade is let fall, and lies about until the first is answered.
  for (const first of [get('/'), get('/', 'Upgrade: h2c', 'Connection: Upgrade')]) {
    const greedy = client(first)
    await until(async () => open === 1)
    greedy.socket.write(get('/').repeat(500))
    assert.equal((await greedy.ended).text, '')
    await until(async () => open === 0)
  }
  assert.ok(most <= 16, `${most} at once`)
  assert.equal(door.logs('request').length, 17)
})

test('a connection on which fewer come at once goes on', async (t) => {
  const { client } = await open(t, {})
  const patient = client('')
  for (const round of [1, 2, 3]) {
    patient.socket.write(get('/').repeat(15))
    await patient.until((text) => text.split(YES).length === 15 * round + 1)
  }
  patient.socket.write(get('/', 'Connection: close'))
  assert.equal((await patient.ended).text.split(YES).length, 47)
})

test('with the PROXY protocol it is the address that the balancer names', async (t) => {
  const { client } = await open(t, {
    STEPGATE_CONNECTIONS_PER_ADDRESS: '1',
    STEPGATE_PROXY_PROTOCOL: 'on',
    STEPGATE_TRUSTED_PROXIES: '127.0.0.1',
  })
  const from = (address: string) =>
    client(`PROXY TCP4 ${address} 192.0.2.1 4711 443\r\n${get('/')}`)
  for (const address of ['203.0.113.1', '203.0.113.2']) {
    await from(address).until((text) => text.includes(YES))
  }
  assert.equal((await from('203.0.113.1').ended).text, '')
})

test('connections of a trusted proxy are not counted', async (t) => {
  const { client } = await open(t, {
    STEPGATE_CONNECTIONS_PER_ADDRESS: '1',
    STEPGATE_TRUSTED_PROXIES: '127.0.0.1',
  })
  for (let count = 0; count < 3; count++) {
    await client(get('/')).until((text) => text.includes(YES))
  }
})

test('over TLS content that stands still and responses that nobody takes are noticed too', async (t) => {
  const { door } = await openTlsDoor(t, { env: IDLE }, (_, response) => {
    response.end(Buffer.alloc(50_000_000, 'x'))
  })
  const dial = async (bytes: string) => {
    const options = { port: door.port, host: '127.0.0.1', rejectUnauthorized: false }
    const socket = connectTls({ ...options, ALPNProtocols: ['http/1.1'] })
    t.after(() => socket.destroy())
    await once(
      socket.on('error', () => {}),
      'secureConnect',
    )
    socket.write(bytes)
    return socket
  }
  await dial(get('/public/x'))
  const upload = await dial(
    rawRequest('POST /public/x HTTP/1.1', [HOST, 'Content-Length: 9'], 'abc'),
  )
  const [answer] = await once(upload, 'data')
  assert.deepEqual(statusesOf(String(answer)), [408])
  const reasons = () => door.logs('request.denied').map(({ reason }) => String(reason))
  await until(async () => reasons().length === 2)
  assert.deepEqual(reasons().toSorted(), ['body-idle', 'response-idle'])
})
