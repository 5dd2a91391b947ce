import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { after, before, describe, type TestContext, test as unlimited } from 'node:test'
import type { Session } from '../../proxy/session/session.ts'
import { type Client, createClient } from '../support/cookie-jar.ts'
import { type Door, openDoor } from '../support/door.ts'
import { readForms, submitForm } from '../support/form.ts'
import { ask, connectHttp2 } from '../support/http2-client.ts'
import { headerOf, rawRequest, statusesOf } from '../support/raw-exchange.ts'
import { openTlsDoor } from '../support/tls-door.ts'
import { until } from '../support/until.ts'
import { handshake, ORIGIN } from '../support/web-socket.ts'
import { ALICE, startWorld, type World } from '../support/world.ts'
import { type RawConnection, rawApplication, rawClient } from '../upstream/sockets.ts'
import { at, signIn } from './steps.ts'

/** A connection that does not end as it should fails its test rather than hang it. */
const test = (name: string, run: (t: TestContext) => Promise<void>) =>
  unlimited(name, { timeout: 60_000 }, run)

const MINUTE = 60_000
const CANARY = 'canary-of-the-body'
const ERROR = 'error="insufficient_user_authentication"'
const CODE = `WWW-Authenticate: Bearer ${ERROR}, acr_values="twilio_sms"`
const RULES = 'public /public/**; twilio_sms /code max_age=15m; basic /**'
const PAGE = ['Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document', 'Accept: text/html']
const HOST = 'Host: app.example.com'
const OURS = 'Origin: https://app.example.com'

/** A refusal with a body that nobody is to see. */
function refusal(...headers: readonly string[]): string {
  const length = `Content-Length: ${CANARY.length}`
  return ['HTTP/1.1 401 Unauthorized', ...headers, length, '', CANARY].join('\r\n')
}

/** Answers each request of a connection. */
function answeringAll(bytes: string): (connection: RawConnection) => void {
  const answered = new WeakMap<RawConnection, number>()
  return (connection) => {
    const heads = connection.received.match(/ HTTP\/1\.1\r\n[\s\S]*?\r\n\r\n/g)?.length ?? 0
    for (let count = answered.get(connection) ?? 0; count < heads; count++) {
      connection.socket.write(bytes)
    }
    answered.set(connection, heads)
  }
}

async function doorTo(t: TestContext, react: string | ((connection: RawConnection) => void)) {
  const { origin, connections } = await rawApplication(
    t,
    typeof react === 'string' ? answeringAll(react) : react,
  )
  const env = { STEPGATE_UPSTREAM: origin.origin, STEPGATE_RULES: RULES }
  const door = await openDoor({ env })
  t.after(() => door.close())
  return { door, connections }
}

async function send(
  t: TestContext,
  door: Door,
  line: string,
  headers: readonly string[],
  { session = {}, body = '' }: { session?: Partial<Session> | null; body?: string } = {},
): Promise<string> {
  const cookie = session === null ? [] : [await door.cookieOf(session)]
  const all = [HOST, 'Connection: close', ...cookie, ...headers]
  return (await rawClient(t, door.port, rawRequest(`${line} HTTP/1.1`, all, body)).ended).text
}

const jsonOf = (text: string) => JSON.parse(text.split('\r\n\r\n')[1] ?? '')
const proved = (now: number, age = 0) => ({ acr: 'twilio_sms', otpTime: now - age }) as const
const cookiesOf = (text: string) =>
  [...text.matchAll(/^set-cookie: ([^;\r]*)/gim)].map(([, cookie]) => cookie)

test('a page is sent to the code page, and a script is told of it, without a byte of the refusal', async (t) => {
  const { door } = await doorTo(
    t,
    refusal(
      'X-Application: 2004',
      'Set-Cookie: payroll=1; Path=/',
      'set-cookie: __Host-stepgate=stolen; Path=/; Secure',
      'Cache-Control: public, max-age=600',
      'ETag: "x"',
      CODE,
    ),
  )
  const page = await send(t, door, 'GET /a?b=c', PAGE)
  assert.deepEqual(statusesOf(page), [302])
  assert.equal(headerOf(page, 'location'), '/_stepgate/otp?return_to=%2Fa%3Fb%3Dc')
  const script = await send(t, door, 'GET /a?b=c', ['Sec-Fetch-Mode: cors', 'Accept: text/html'])
  assert.deepEqual(statusesOf(script), [401])
  assert.equal(
    headerOf(script, 'www-authenticate'),
    `Bearer realm="stepgate", ${ERROR}, error_description="A one-time code is needed", acr_values="twilio_sms"`,
  )
  const { request_id: id, ...said } = jsonOf(script)
  assert.equal(id, headerOf(script, 'x-request-id'))
  assert.deepEqual(said, {
    error: 'insufficient_user_authentication',
    acr_values: 'twilio_sms',
    step_up_url: 'https://app.example.com/_stepgate/otp?return_to=%2Fa%3Fb%3Dc',
  })
  for (const text of [page, script]) {
    assert.ok(!text.includes(CANARY))
    assert.equal(headerOf(text, 'cache-control'), 'no-store')
    assert.deepEqual(
      ['x-application', 'etag'].map((name) => headerOf(text, name)),
      [undefined, undefined],
    )
    // What the application remembers of the visitor goes on.
    assert.deepEqual(cookiesOf(text), ['payroll=1'])
  }
  assert.equal(door.logs('step_up.required').length, 2)
  await until(async () => door.logs('request').length === 2)
  assert.deepEqual(
    door.logs('request').map(({ decision, status, bytes_out }) => [decision, status, bytes_out]),
    [
      ['step-up', 302, 0],
      ['step-up', 401, Buffer.byteLength(script.split('\r\n\r\n')[1] ?? '')],
    ],
  )
  assert.ok(!door.logs().some(({ msg }) => msg === 'The application did not answer'))
})

const WAYS: readonly (readonly [string, string, readonly string[], string])[] = [
  ['HEAD', 'HEAD /x', PAGE, ''],
  ['a form', 'POST /x', [...PAGE, OURS, 'Content-Length: 3'], 'a=b'],
  [
    'a body in chunks',
    'POST /x',
    [...PAGE, OURS, 'Transfer-Encoding: chunked'],
    '3\r\na=b\r\n0\r\n\r\n',
  ],
  [
    'a body that waits',
    'POST /x',
    [...PAGE, OURS, 'Content-Length: 3', 'Expect: 100-continue'],
    'a=b',
  ],
  ['events', 'GET /x', ['Sec-Fetch-Mode: cors', 'Accept: text/event-stream'], ''],
  ['old jQuery', 'GET /x', ['Accept: text/html', 'X-Requested-With: XMLHttpRequest'], ''],
  ['a PUT', 'PUT /x', ['Content-Length: 3'], 'a=b'],
]
for (const [name, line, headers, body] of WAYS) {
  test(`so is ${name}, though the refusal has no end`, async (t) => {
    const head = `HTTP/1.1 401 No\r\n${CODE}\r\nTransfer-Encoding: chunked\r\n\r\n`
    const { door, connections } = await doorTo(t, `${head}12\r\n${CANARY}\r\n`)
    const text = await send(t, door, line, headers, { body })
    const isPage = headers === PAGE || headers.includes('Sec-Fetch-Mode: navigate')
    const redirect = line.startsWith('HEAD') ? 302 : 303
    // It is asked for what was typed all the same.
    const asked = headers.includes('Expect: 100-continue') ? [100] : []
    assert.deepEqual(statusesOf(text), [...asked, isPage ? redirect : 401])
    assert.ok(!text.includes(CANARY))
    if (isPage) assert.match(text, /^location: \/_stepgate\/otp\?/im)
    else assert.equal(jsonOf(text).error, 'insufficient_user_authentication')
    assert.equal(connections.length, 1)
    const socket = connections[0]?.socket
    if (socket?.destroyed === false) await once(socket, 'close')
  })
}

test('the connection of the client goes on, and that of the application serves nobody else', async (t) => {
  let count = 0
  const { door, connections } = await doorTo(t, ({ socket }) => {
    socket.write(++count === 2 ? 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes' : refusal(CODE))
  })
  const cookie = await door.cookieOf()
  const next = rawRequest('GET /x HTTP/1.1', [HOST, cookie])
  const form = ['Content-Length: 3', 'Content-Type: text/plain']
  const last = rawRequest('POST /x HTTP/1.1', [HOST, 'Connection: close', cookie, ...form], 'a=b')
  const client = rawClient(t, door.port, next)
  await client.until((text) => text.includes('step_up_url'))
  client.socket.write(next)
  await client.until((text) => text.endsWith('yes'))
  client.socket.write(last)
  const { text } = await client.ended
  assert.deepEqual(statusesOf(text), [401, 200, 401])
  assert.ok(!text.includes(CANARY))
  assert.deepEqual(
    connections.map(({ received }) => received.match(/HTTP\/1\.1/g)?.length),
    [1, 2],
  )
})

test('any legal spelling will do, in pieces and behind early hints', async (t) => {
  const { door } = await doorTo(t, async ({ socket }) => {
    for (const piece of [
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 401\r\nwww-authen',
      'ticate: Negotiate,basic realm="a, Bearer b=\\"c"\r\nWWW-AUTHENTICATE: , DPoP Error = insufficient',
      '_user_authentication ,ACR_Values="phr twilio\\_sms"\r\n',
      'Www-Authenticate: max_age=0\r\nContent-Length: 18\r\n\r\n',
      CANARY,
    ]) {
      socket.write(piece)
      await new Promise(setImmediate)
    }
  })
  const text = await send(t, door, 'GET /x', PAGE)
  assert.deepEqual(statusesOf(text), [103, 302])
  assert.equal(
    headerOf(text.slice(text.indexOf('HTTP/1.1 302')), 'location'),
    '/_stepgate/otp?return_to=%2Fx&max_age=0',
  )
  assert.ok(!text.includes(CANARY))
})

test("whoever has all that it asks for gets the application's answer as it is", async (t) => {
  const { door } = await doorTo(t, refusal(`${CODE}, max_age=600`, 'X-Application: 2004'))
  for (const [age, isMet] of [
    [5 * MINUTE, true],
    [11 * MINUTE, false],
  ] as const) {
    const session = proved(door.now(), age)
    const page = await send(t, door, 'GET /x', PAGE, { session })
    const script = await send(t, door, 'GET /x', [], { session })
    assert.deepEqual([statusesOf(page), statusesOf(script)], [[isMet ? 401 : 302], [401]])
    for (const text of [page, script]) {
      assert.equal(text.includes(CANARY), isMet)
      assert.equal(headerOf(text, 'x-application'), isMet ? '2004' : undefined)
    }
    if (isMet) continue
    assert.equal(headerOf(page, 'location'), '/_stepgate/otp?return_to=%2Fx&max_age=600')
    assert.match(
      headerOf(script, 'www-authenticate') ?? '',
      /acr_values="twilio_sms", max_age=600$/,
    )
    assert.equal(jsonOf(script).max_age, 600)
  }
})

const PASSED: readonly (readonly [string, string])[] = [
  ['an unknown acr', refusal(CODE.replace('twilio_sms', 'phr'))],
  [
    'another error',
    refusal('WWW-Authenticate: Bearer error="invalid_token", acr_values="twilio_sms"'),
  ],
  ['Basic', refusal('WWW-Authenticate: Basic realm="Payroll"')],
  ['a challenge that is not legal', refusal(CODE.slice(0, -1))],
  ['none', refusal('X-WWW-Authenticate: none')],
  ['the challenge in a 403', refusal(CODE).replace('401', '403')],
  ['the challenge in a 200', refusal(CODE).replace('401', '200')],
]
for (const [name, answer] of PASSED) {
  test(`what is not asked of stepgate passes as it is: ${name}`, async (t) => {
    const { door } = await doorTo(t, answer)
    const text = await send(t, door, 'GET /x', PAGE)
    assert.equal(text.split('\r\n\r\n')[1], CANARY)
    assert.equal(statusesOf(text)[0], Number(answer.slice(9, 12)))
    const [, challenge] = /^WWW-Authenticate: (.*)\r$/m.exec(answer) ?? []
    assert.equal(headerOf(text, 'www-authenticate'), challenge)
  })
}

for (const status of [204, 304]) {
  test(`a ${status} with the challenge is a ${status}`, async (t) => {
    const { door } = await doorTo(t, `HTTP/1.1 ${status} X\r\n${CODE}\r\n\r\n`)
    const text = await send(t, door, 'GET /x', [...PAGE, 'If-None-Match: "x"'])
    assert.deepEqual(statusesOf(text), [status])
  })
}

test('a refused WebSocket is refused by what is missing', async (t) => {
  const { door } = await doorTo(t, refusal(`${CODE}, max_age=60`))
  const cookie = await door.cookieOf()
  const { text } = await rawClient(t, door.port, handshake('/chat', [cookie, ORIGIN])).ended
  assert.deepEqual(statusesOf(text), [401])
  assert.ok(!text.includes(CANARY))
  assert.equal(jsonOf(text).error, 'insufficient_user_authentication')
  assert.match(headerOf(text, 'www-authenticate') ?? '', /max_age=60$/)
  const met = await door.cookieOf(proved(door.now()))
  const passed = await rawClient(t, door.port, handshake('/chat', [met, ORIGIN])).ended
  assert.ok(passed.text.endsWith(CANARY))
})

test('what became too old while the application was at work is asked for too', async (t) => {
  let working = () => {}
  const { door } = await doorTo(t, (connection) => {
    working()
    answeringAll(refusal(`${CODE}, max_age=600`))(connection)
  })
  working = () => door.turnClock(11 * MINUTE)
  const page = await send(t, door, 'GET /x', PAGE, { session: proved(door.now()) })
  assert.deepEqual(statusesOf(page), [302])
  assert.ok(!page.includes(CANARY))
})

test('it never lowers what a rule asks for', async (t) => {
  const { door, connections } = await doorTo(t, refusal(`${CODE}, max_age=86400`))
  const at = (path: string, age: number) =>
    send(t, door, `GET ${path}`, PAGE, { session: proved(door.now(), age) })
  assert.ok((await at('/code', 14 * MINUTE)).endsWith(CANARY))
  const { length } = connections
  const older = await at('/code', 16 * MINUTE)
  assert.equal(headerOf(older, 'location'), '/_stepgate/otp?return_to=%2Fcode&max_age=900')
  assert.equal(connections.length, length)
})

test('where nobody has signed in, an application can ask for that too', async (t) => {
  const asks = `WWW-Authenticate: Bearer ${ERROR}, acr_values=`
  for (const [challenge, page, script] of [
    [`${asks}basic`, /^https:\/\/login\.example\.com\//, 'sign_in_required'],
    [`${asks}twilio_sms`, /^\/_stepgate\/otp\?/, 'insufficient_user_authentication'],
  ] as const) {
    const { door } = await doorTo(t, refusal(challenge))
    const nobody = { session: null }
    const sent = await send(t, door, 'GET /public/x', PAGE, nobody)
    assert.match(headerOf(sent, 'location') ?? '', page)
    assert.equal(jsonOf(await send(t, door, 'GET /public/x', [], nobody)).error, script)
    const known = await send(t, door, 'GET /public/x', PAGE)
    assert.equal(known.endsWith(CANARY), challenge.endsWith('basic'))
  }
})

test('a sign-in that is too old for it is one for the provider, and JSON says so', async (t) => {
  const { door } = await doorTo(
    t,
    refusal(`WWW-Authenticate: Bearer ${ERROR}, acr_values="basic", max_age=300`),
  )
  const old = { authTime: door.now() - 7 * MINUTE, authTimeGiven: true } as const
  const page = await send(t, door, 'GET /x', PAGE, { session: old })
  assert.match(headerOf(page, 'location') ?? '', /^https:\/\/login\.example\.com\//)
  const script = await send(t, door, 'GET /x', [], { session: old })
  assert.match(headerOf(script, 'www-authenticate') ?? '', /acr_values="basic", max_age=300$/)
  const { step_up_url: url, acr_values: acr, max_age: maxAge } = jsonOf(script)
  assert.deepEqual([acr, maxAge], ['basic', 300])
  assert.equal(
    url,
    'https://app.example.com/_stepgate/step-up?return_to=%2Fx&max_age=300&acr=basic',
  )
  const fresh = { authTime: door.now() - 4 * MINUTE, authTimeGiven: true } as const
  assert.ok((await send(t, door, 'GET /x', PAGE, { session: fresh })).endsWith(CANARY))
})

test('over HTTP/2 it is the same, and the connection goes on', async (t) => {
  const { door } = await openTlsDoor(t, {}, ({ url }, response) => {
    if (url === '/x') {
      response.setHeader('WWW-Authenticate', [
        'Negotiate',
        `Bearer ${ERROR}`,
        'acr_values=twilio_sms',
      ])
      response.setHeader('Set-Cookie', 'payroll=1')
      response.writeHead(401).flushHeaders()
      response.write(CANARY)
    } else response.end('yes')
  })
  const session = await connectHttp2(t, door.port)
  const cookie = (await door.cookieOf()).replace('Cookie: ', '')
  const navigate = { 'sec-fetch-mode': 'navigate', cookie }
  for (const [method, body, status] of [
    ['GET', undefined, 302],
    ['HEAD', undefined, 302],
    ['POST', 'a=b', 303],
  ] as const) {
    const headers = { ':path': '/x', ':method': method, ...navigate }
    const page = await ask(session, { ...headers, origin: 'https://app.example.com' }, body)
    assert.deepEqual([page.status, page.body, page.reset], [status, '', 0], method)
    assert.match(String(page.headers.location), /^\/_stepgate\/otp\?/)
    const [cookie, ...own] = page.headers['set-cookie'] ?? []
    assert.equal(cookie, 'payroll=1')
    // By which the browser is known that sent what is kept.
    assert.deepEqual(
      own.filter((each) => !each.startsWith('__Host-stepgate-resume')),
      [],
    )
    assert.equal(own.length > 0, method === 'POST')
  }
  const script = await ask(session, { ':path': '/x', 'sec-fetch-mode': 'cors', cookie })
  assert.deepEqual([script.status, JSON.parse(script.body).acr_values], [401, 'twilio_sms'])
  assert.equal((await ask(session, { ':path': '/y', cookie })).body, 'yes')
})

describe('a form that the application answers by its challenge', () => {
  let world: World
  before(async () => {
    const env = { STEPGATE_RULES: 'basic /**', STEPGATE_RESUME_MAX_BODY: '64KB' }
    world = await startWorld({ env })
  })
  after(() => world.close())

  const PATH = '/challenge?max_age=600&salary=%34'
  const post = (browser: Client, body: Buffer) =>
    browser.post(at(world, PATH), body, {
      headers: {
        'content-type': 'multipart/form-data; boundary=----x',
        referer: at(world, '/').href,
      },
    })
  const posts = () => world.application.requests().filter(({ method }) => method === 'POST')

  test('is kept until the code is typed, arrives once, and its result is at its own address', async () => {
    const browser = createClient()
    await signIn(world, browser)
    const body = randomBytes(64 * 1024)
    const challenged = await post(browser, body)
    assert.equal(challenged.status, 303)
    assert.ok(!challenged.text().includes('Not allowed'))
    const code = await browser.followAll(challenged)
    const page = await browser.followAll(
      await submitForm(browser, code, { code: world.codeFor(ALICE) }),
    )
    assert.equal(page.url.pathname, '/_stepgate/resume')
    assert.equal(readForms(page)[0]?.action.href, at(world, PATH).href)
    assert.equal(posts().length, 1)

    const isSendOn = ({ fields }: { fields: object }) => 'stepgate-resume' in fields
    const result = await submitForm(browser, page, {}, isSendOn)
    assert.deepEqual([result.status, result.url.href], [200, at(world, PATH).href])
    const [refused, arrived, ...others] = posts()
    assert.deepEqual(others, [])
    assert.ok(refused && arrived)
    for (const { bytes, headers, url } of [refused, arrived]) {
      assert.ok(bytes.equals(body))
      assert.equal(headers['content-type'], 'multipart/form-data; boundary=----x')
      assert.equal(url, PATH)
    }
    assert.deepEqual(
      [refused, arrived].map(({ headers }) => headers['x-stepgate-acr']),
      ['basic', 'twilio_sms'],
    )
    assert.equal((await submitForm(browser, page, {}, isSendOn)).status, 409)
    assert.equal(posts().length, 2)
  })

  test('is said not to be sent where it is too large, with the way through that it needs', async () => {
    const browser = createClient()
    await signIn(world, browser)
    const large = await post(browser, Buffer.alloc(64 * 1024 + 1))
    assert.equal(large.status, 413)
    assert.match(large.text(), /was not sent: .*at most 64KB/)
    const way = 'href="/_stepgate/otp?return_to=%2F&amp;max_age=600" target="_blank"'
    assert.ok(large.text().includes(way), large.text())
  })
})
