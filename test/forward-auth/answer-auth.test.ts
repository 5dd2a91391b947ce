import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { fitAnswer } from '../../proxy/forward-auth/auth-answers.ts'
import { createProvider } from '../../proxy/sign-in/provider-openid.ts'
import { loadedOk, loadWith } from '../config/valid-env.ts'
import { keptLog } from '../sign-in/parts.ts'
import { declareSecret } from '../support/canaries.ts'
import { type Door, openDoor } from '../support/door.ts'
import { headerOf, rawRequest, sendRaw, statusesOf } from '../support/raw-exchange.ts'
import { API, startTokenIssuer } from '../support/token-issuer.ts'
import { until } from '../support/until.ts'

const RULES = `
  public /assets/**
  basic GET /form
  twilio_sms POST /form
  basic /basic/**
  basic lax.example.com/**
  twilio_sms /fresh max_age=15m
  deny /denied/**`
const ENV = {
  STEPGATE_UPSTREAM: 'none',
  STEPGATE_TRUSTED_PROXIES: '127.0.0.1',
  STEPGATE_RULES: RULES,
  STEPGATE_HEADERS:
    'Authorization=Basic {username}:{secret}; X-Team={groups}; X-Client={client_address}',
  STEPGATE_HEADERS_SECRET: 'canary-headers-3317',
}
const HOST = 'app.example.com'
const SITE = `https://${HOST}`
const NAVIGATION = ['Sec-Fetch-Mode: navigate', 'Accept: text/html']
const ASK = 'GET /_stepgate/auth HTTP/1.1'
const STATUS = 'X-Stepgate-Mode: status'
const CLIENT = 'X-Stepgate-Mode: client'

/** As each proxy puts the question, by its documentation and source. */
const traefik = (method: string, uri: string, host = HOST) => [
  'Host: 10.0.0.7:8080',
  `X-Forwarded-Method: ${method}`,
  `X-Forwarded-Uri: ${uri}`,
  `X-Forwarded-Host: ${host}`,
  'X-Forwarded-Proto: https',
  'X-Forwarded-For: 203.0.113.9',
]
const nginx = (method: string, uri: string, host = HOST) => [
  `Host: ${host}`,
  `X-Original-Method: ${method}`,
  `X-Original-URI: ${uri}`,
]
const ingress = (method: string, uri: string, host = HOST) => [
  'Host: 10.0.0.7',
  `X-Original-Method: ${method}`,
  `X-Original-URL: https://${host}${uri}`,
]

describe('the answer to a proxy', () => {
  let door: Door
  before(async () => {
    door = await openDoor({ env: ENV })
  })
  after(() => door.close())

  const send = (t: TestContext, line: string, headers: readonly string[], to = door) =>
    sendRaw(t, to.port, rawRequest(line, ['Connection: close', ...headers]))
  const status = async (...asked: Parameters<typeof send>) => statusesOf(await send(...asked))[0]
  const json = (text: string) => JSON.parse(text.split('\r\n\r\n')[1] ?? '')

  test('is 200 with who is asking, in the same headers as a forwarded request', async (t) => {
    const cookie = await door.cookieOf({ groups: ['hr', 'a,b'], username: 'zoë' })
    for (const asked of [
      [ASK, ...traefik('GET', '/basic/x?y=1')],
      [ASK, ...nginx('GET', '/basic/x?y=1')],
      [ASK, STATUS, ...ingress('GET', '/basic/x?y=1')],
      ['GET /_stepgate/auth/basic/x?mode=status HTTP/1.1', `Host: ${HOST}`],
    ] as const) {
      const [line, ...headers] = asked
      const text = await send(t, line, [...headers, `${cookie}; theme=dark`])
      assert.deepEqual(statusesOf(text), [200], line)
      assert.equal(headerOf(text, 'x-forwarded-user'), Buffer.from('zoë').toString('latin1'))
      assert.equal(headerOf(text, 'x-team'), 'hr,a%2Cb')
      assert.equal(headerOf(text, 'x-stepgate-acr'), 'basic')
      assert.match(headerOf(text, 'authorization') ?? '', /^Basic /)
      assert.equal(headerOf(text, 'x-forwarded-email'), '')
      assert.equal(headerOf(text, 'cookie'), 'theme=dark')
      assert.equal(headerOf(text, 'cache-control'), 'no-store')
      assert.equal(headerOf(text, 'content-length'), '0')
      assert.equal(headerOf(text, 'set-cookie'), undefined)
    }
  })

  test('says nothing of anybody for what is public, and leaves no cookie of ours', async (t) => {
    const text = await send(t, ASK, [
      ...traefik('GET', '/assets/a.css'),
      'Cookie: __Host-stepgate=x',
    ])
    assert.deepEqual(statusesOf(text), [200])
    assert.equal(headerOf(text, 'x-client'), '203.0.113.9')
    const empty = ['x-forwarded-user', 'authorization', 'x-stepgate-acr', 'x-stepgate-assertion']
    for (const name of [...empty, 'cookie']) assert.equal(headerOf(text, name), '', name)
  })

  test('is about a machine too, by its access token, which the application is not told', async (t) => {
    const issuer = await startTokenIssuer()
    t.after(() => issuer.close())
    const env = {
      STEPGATE_UPSTREAM: 'none',
      STEPGATE_TRUSTED_PROXIES: '127.0.0.1',
      STEPGATE_RULES: 'basic /api/** bearer; public /assets/**',
      STEPGATE_OIDC_ISSUER: issuer.issuer.origin,
      STEPGATE_BEARER_AUDIENCE: API,
      STEPGATE_ASSERTION: 'on',
    }
    const { config, secrets } = loadedOk(loadWith(env))
    const provider = createProvider(config.oidc, secrets.oidcCredential, keptLog().log)
    const other = await openDoor({ env, overrides: { provider } })
    t.after(() => other.close())
    await until(async () => provider.isKnown())

    const bearer = (token: string) => {
      declareSecret('access token', token)
      return `Authorization: Bearer ${token}`
    }
    const good = bearer(await issuer.token())
    const ask = (...more: string[]) =>
      send(t, ASK, [...traefik('GET', '/api/x'), ...NAVIGATION, ...more], other)
    // As old as a session that would be written again.
    for (const later of [0, 100_000]) {
      other.turnClock(later)
      const text = await ask(good)
      assert.deepEqual(statusesOf(text), [200])
      assert.equal(headerOf(text, 'x-stepgate-subject'), 'machine-1')
      assert.match(headerOf(text, 'x-stepgate-assertion') ?? '', /^ey.+\..+\..+$/)
      assert.equal(headerOf(text, 'authorization'), '')
      assert.equal(headerOf(text, 'set-cookie'), undefined)
    }
    const wrong = bearer(await issuer.token({ aud: 'https://other.example.com' }))
    const refused = await ask(wrong)
    assert.deepEqual([statusesOf(refused), json(refused).error], [[401], 'invalid_token'])
    assert.deepEqual(statusesOf(await ask(wrong, STATUS)), [401])
    const twofold = await ask(good, await other.cookieOf())
    assert.deepEqual([statusesOf(twofold), json(twofold).error], [[400], 'invalid_request'])
    assert.deepEqual(statusesOf(await ask(good, await other.cookieOf(), STATUS)), [403])
    assert.deepEqual(statusesOf(await ask(good, CLIENT)), [302])

    // Where no rule takes tokens it is the application's business, and of nobody there is none.
    const public_ = (...more: string[]) =>
      send(t, ASK, [...traefik('GET', '/assets/x'), ...more], other)
    assert.equal(`Authorization: ${headerOf(await public_(wrong), 'authorization')}`, wrong)
    assert.equal(headerOf(await public_(), 'authorization'), undefined)
  })

  test('sends a navigation to the provider, and back to what it asked for', async (t) => {
    const text = await send(t, ASK, [...traefik('GET', '/basic/x?y=1'), ...NAVIGATION])
    assert.deepEqual(statusesOf(text), [302])
    assert.match(headerOf(text, 'location') ?? '', /^https:\/\/login\.example\.com\/authorize\?/)
    assert.match(headerOf(text, 'set-cookie') ?? '', /^__Host-stepgate-browser/)
    assert.equal(headerOf(text, 'x-stepgate-set-cookie-1'), undefined)
    const post = await send(t, ASK, [...traefik('POST', '/form'), ...NAVIGATION])
    assert.deepEqual(statusesOf(post), [303])
  })

  test('keeps no form, as there is none to be had, and answers no browser by a page of its own', async (t) => {
    const form = [...NAVIGATION, `Origin: ${SITE}`, 'Content-Length: 3']
    for (const cookie of [[], [await door.cookieOf()]]) {
      const question = rawRequest(ASK.replace('GET', 'POST'), [
        ...['Connection: close', ...traefik('POST', '/form'), ...form, ...cookie],
      ])
      // The rest of its body never comes.
      const text = await sendRaw(t, door.port, question)
      assert.deepEqual(statusesOf(text), [303])
      assert.match(headerOf(text, 'location') ?? '', /^https:/)
      assert.doesNotMatch(text, /resume/)
    }
    assert.deepEqual(door.logs('form.kept'), [])
    // 200 would let the request pass.
    const window = [
      ...[...NAVIGATION, 'Sec-Fetch-Dest: document', 'Upgrade-Insecure-Requests: 1'],
      ...['User-Agent: Mozilla/5.0', 'Accept-Encoding: gzip'],
    ]
    for (const mode of [[], [CLIENT]]) {
      const asked = [...traefik('GET', '/basic/x'), ...window, ...mode]
      assert.equal(await status(t, ASK, asked), 302)
    }
    for (const mode of ['whole', 'status', 'client'] as const) {
      const page = { status: 200, headers: {}, body: '' }
      assert.throws(() => fitAnswer(page, mode, new URL(SITE)), TypeError)
    }
  })

  test('says to programs where to go, in JSON', async (t) => {
    const text = await send(t, ASK, nginx('GET', '/basic/x?y=1'))
    assert.deepEqual(statusesOf(text), [401])
    assert.equal(json(text).sign_in_url, `${SITE}/_stepgate/sign-in?return_to=%2Fbasic%2Fx%3Fy%3D1`)
  })

  test('asks for a code with an address that is whole', async (t) => {
    const cookie = await door.cookieOf()
    const page = await send(t, ASK, [...traefik('GET', '/fresh?a=1&b=2'), cookie, ...NAVIGATION])
    assert.deepEqual(statusesOf(page), [302])
    const to = `${SITE}/_stepgate/otp?return_to=%2Ffresh%3Fa%3D1%26b%3D2&max_age=900`
    assert.equal(headerOf(page, 'location'), to)
    const text = await send(t, ASK, [...traefik('GET', '/fresh?a=1&b=2'), cookie])
    assert.deepEqual(statusesOf(text), [401])
    assert.match(headerOf(text, 'www-authenticate') ?? '', /insufficient_user_authentication/)
    assert.equal(json(text).step_up_url, to)
  })

  test('is 200, 401 or 403 alone in mode status, and says all else in headers', async (t) => {
    const cookie = await door.cookieOf()
    const asked = (uri: string, ...more: string[]) =>
      send(t, ASK, [STATUS, ...nginx('GET', uri), ...more, ...NAVIGATION])
    const signIn = await asked('/basic')
    assert.deepEqual(statusesOf(signIn), [401])
    assert.match(headerOf(signIn, 'location') ?? '', /^https:\/\/login\.example\.com\//)
    // nginx would add it to that of its second question.
    assert.equal(headerOf(signIn, 'www-authenticate'), undefined)
    assert.equal(headerOf(signIn, 'x-stepgate-set-cookie-1'), headerOf(signIn, 'set-cookie'))
    const stepUp = await asked('/fresh', cookie)
    assert.deepEqual(statusesOf(stepUp), [401])
    assert.match(headerOf(stepUp, 'location') ?? '', /^https:\/\/app\.example\.com\/_stepgate\/otp/)
    assert.deepEqual(statusesOf(await asked('/denied', cookie)), [403])
    for (const uri of [
      '/denied/../assets/x',
      '//assets/x',
      '/a%2fb',
      '/_stepgate/otp',
      '*',
      '/a b',
    ]) {
      assert.deepEqual(statusesOf(await asked(uri, cookie)), [403], uri)
    }
    assert.equal(await status(t, ASK, [STATUS, ...nginx('TRACE', '/assets/x')]), 403)
    assert.equal(
      await status(t, ASK, [STATUS, ...nginx('GET', `/assets/${'x'.repeat(20_000)}`)]),
      403,
    )
  })

  test('tells a client in mode client to ask again when it may pass by now', async (t) => {
    const page = await send(t, ASK, [CLIENT, ...nginx('GET', '/assets/x?y'), ...NAVIGATION])
    assert.deepEqual(statusesOf(page), [302])
    assert.equal(headerOf(page, 'location'), `${SITE}/assets/x?y`)
    assert.equal(await status(t, ASK, [CLIENT, ...nginx('GET', '/assets/x')]), 503)
    const cookie = await door.cookieOf()
    const denied = await send(t, ASK, [CLIENT, ...nginx('GET', '/denied'), cookie, ...NAVIGATION])
    assert.deepEqual(statusesOf(denied), [403])
    assert.match(headerOf(denied, 'content-type') ?? '', /^text\/html/)
  })

  test('is counted and audited once, although nginx asks twice', async (t) => {
    const events = () => [...door.logs('request.denied'), ...door.logs('step_up.required')].length
    const cookie = await door.cookieOf()
    const forged = 'X-Forwarded-User: mallory'
    for (const [uri, more] of [
      ['/denied', cookie],
      ['/fresh', cookie],
      ['/denied', forged],
    ] as const) {
      const asked = [...nginx('GET', uri), more]
      const before = events()
      await send(t, ASK, [...asked, STATUS])
      await send(t, ASK, [...asked, CLIENT])
      assert.equal(events() - before, 1, uri)
    }
  })

  test('judges the method that was asked for, not that of the question', async (t) => {
    const cookie = await door.cookieOf()
    for (const line of [ASK, ASK.replace('GET', 'HEAD'), ASK.replace('GET', 'POST')]) {
      assert.equal(await status(t, line, [...traefik('GET', '/form'), cookie]), 200, line)
      assert.equal(await status(t, line, [...traefik('HEAD', '/form'), cookie]), 200, line)
      assert.equal(await status(t, line, [...traefik('POST', '/form'), cookie]), 401, line)
      assert.equal(await status(t, line, [...traefik('post', '/form'), cookie]), 401, line)
      assert.equal(await status(t, line, [...traefik('PUT', '/form'), cookie]), 401, line)
    }
    const envoy = (method: string) => `${method} /_stepgate/auth/form HTTP/1.1`
    assert.equal(await status(t, envoy('GET'), [`Host: ${HOST}`, cookie]), 200)
    assert.equal(await status(t, envoy('POST'), [`Host: ${HOST}`, cookie]), 401)
  })

  test('writes the cookie again in time, also one header each for proxies that need that', async (t) => {
    const amr = Array.from({ length: 300 }, (_, index) => `method-${index}-of-many`)
    const seenAt = door.now() - 30 * 60_000
    const times = { seenAt, createdAt: seenAt, authTime: seenAt }
    const cookie = await door.cookieOf({ amr, ...times })
    const text = await send(t, ASK, [...nginx('GET', '/basic'), cookie])
    assert.deepEqual(statusesOf(text), [200])
    const cookies = [...text.matchAll(/^set-cookie: (.*?)\r$/gim)].map(([, value]) => value)
    assert.ok(cookies.length > 1, `${cookies.length} cookies`)
    const numbered = cookies.map((_, index) => headerOf(text, `x-stepgate-set-cookie-${index + 1}`))
    assert.deepEqual(numbered, cookies)
  })

  test('believes nobody but trusted proxies', async (t) => {
    const other = await openDoor({
      env: {
        STEPGATE_UPSTREAM: 'none',
        STEPGATE_TRUSTED_PROXIES: '10.0.0.0/8',
        STEPGATE_RULES: RULES,
      },
    })
    t.after(() => other.close())
    const cookie = await other.cookieOf()
    for (const headers of [
      traefik('GET', '/assets/x'),
      [...nginx('GET', '/assets/x'), 'X-Forwarded-For: 10.0.0.1', 'Forwarded: for=10.0.0.1'],
      [...ingress('GET', '/basic'), cookie],
    ]) {
      const text = await send(t, ASK, headers, other)
      assert.deepEqual(statusesOf(text), [403])
      assert.equal(json(text).error, 'untrusted-proxy')
      assert.equal(headerOf(text, 'x-forwarded-user'), undefined)
    }
    const envoy = 'GET /_stepgate/auth/assets/x HTTP/1.1'
    assert.equal(await status(t, envoy, [`Host: ${HOST}`], other), 403)
    assert.equal(other.logs('request.denied').at(-1)?.reason, 'untrusted-proxy')
  })

  test('says who it is and no secret where stepgate forwards as well', async (t) => {
    const other = await openDoor({
      env: {
        STEPGATE_TRUSTED_PROXIES: '127.0.0.1',
        STEPGATE_RULES: RULES,
        STEPGATE_ASSERTION: 'on',
        STEPGATE_HEADERS: 'X-Basic=Basic {username}:{secret}',
        STEPGATE_HEADERS_SECRET: 'a shared secret of long standing',
      },
    })
    t.after(() => other.close())
    const cookie = `${await other.cookieOf()}; app=private`
    const text = await send(t, ASK, [...traefik('GET', '/basic'), cookie], other)
    assert.deepEqual(statusesOf(text), [200])
    assert.equal(headerOf(text, 'x-forwarded-user'), 'alice')
    for (const name of ['x-basic', 'x-stepgate-assertion', 'cookie', 'authorization']) {
      assert.equal(headerOf(text, name), undefined, name)
    }
    assert.ok(!text.includes('private'), text)
    const refused = await send(t, ASK, [...traefik('GET', '/denied/x'), cookie], other)
    assert.deepEqual(statusesOf(refused), [403])
    assert.deepEqual(statusesOf(await send(t, ASK, traefik('GET', '/basic'), other)), [401])
  })

  test('forwards nothing, and has its own pages all the same', async (t) => {
    assert.equal(await status(t, 'GET /assets/x HTTP/1.1', [`Host: ${HOST}`]), 404)
    assert.equal(await status(t, 'GET /_stepgate/healthz HTTP/1.1', [`Host: ${HOST}`]), 200)
  })

  test('is closed when it is not said what was asked for, or not in one way', async (t) => {
    const public_ = '/assets/x'
    const [host, method, uri, forwardedHost, proto] = traefik('GET', public_) as [
      string,
      string,
      string,
      string,
      string,
    ]
    const cases: Record<string, readonly string[]> = {
      'missing-method': [host, uri, forwardedHost],
      'missing-target': [host, method, forwardedHost],
      'repeated-header': [host, method, uri, uri, forwardedHost],
      'contradictory-headers': [host, method, uri, forwardedHost, 'X-Original-URI: /denied'],
      'malformed-host': [host, method, uri, 'X-Forwarded-Host: a.example.com, b.example.com'],
      'malformed-header': [host, method, uri, 'X-Original-URL: file:///assets/x'],
      'forged-header': [host, method, uri, forwardedHost, 'X_Forwarded_Uri: /denied'],
    }
    for (const [reason, headers] of Object.entries(cases)) {
      for (const mode of [[], [STATUS], [CLIENT]]) {
        const text = await send(t, ASK, [...headers, proto, ...mode])
        assert.deepEqual([statusesOf(text), json(text).error], [[403], reason])
      }
    }
    const contradictions = [
      ['X-Original-Method: POST'],
      ['X-Original-URL: https://app.example.com/denied'],
      ['X-Original-URL: https://lax.example.com/assets/x'],
      ['X-Original-URI: /assets/x', 'X-Original-URL: https://app.example.com/assets/y'],
    ]
    for (const more of contradictions) {
      const text = await send(t, ASK, [...traefik('GET', public_), ...more])
      assert.equal(json(text).error, 'contradictory-headers', more.join())
    }
    const repeated = ['X-Forwarded-Method: GET', 'X-Forwarded-Host: app.example.com']
    for (const more of [...repeated, 'x-forwarded-uri: /assets/x']) {
      const text = await send(t, ASK, [...traefik('GET', public_), more])
      assert.equal(json(text).error, 'repeated-header', more)
    }
    const behind = 'GET /_stepgate/auth/assets/x HTTP/1.1'
    assert.equal(await status(t, behind, [`Host: ${HOST}`]), 200)
    for (const more of ['X-Forwarded-Method: POST', 'X-Forwarded-Uri: /basic']) {
      const text = await send(t, behind, [`Host: ${HOST}`, more])
      assert.equal(json(text).error, 'contradictory-headers', more)
    }
    for (const mode of [['X-Stepgate-Mode: Status'], ['X-Stepgate-Mode: '], [STATUS, CLIENT]]) {
      const text = await send(t, ASK, [...traefik('GET', public_), ...mode])
      assert.deepEqual([statusesOf(text), json(text).error], [[403], 'unknown-mode'])
    }
    // Caddy's `forward_auth` leaves the query of the request behind its own path.
    const withQuery = 'GET /_stepgate/auth?mode=status HTTP/1.1'
    assert.equal(await status(t, withQuery, traefik('GET', '/assets/x?mode=status')), 200)
  })

  test('is given under its own spelling alone', async (t) => {
    for (const path of [
      '/_stepgate/auth;x',
      '/_stepgate/%61uth',
      '/_STEPGATE/auth',
      '/_stepgate/authx',
      '/_stepgate;x/auth',
      '/_stepgate/auth%2fassets',
      '/_stepgate/auth/../auth',
      '/_stepgate/auth//assets/x',
    ]) {
      const answered = await status(t, `GET ${path} HTTP/1.1`, traefik('GET', '/assets/x'))
      assert.ok(answered === 404 || answered === 400, `${path} ${answered}`)
    }
  })

  test('refuses what a client could pass for somebody else by, should the proxy leave it in', async (t) => {
    for (const header of [
      'X-Forwarded-User: mallory',
      'x-forwarded-groups: hr',
      'X-Forwarded-Prefix: //evil.example.com',
      'X-Forwarded-Scheme: http',
      'X-Forwarded-Ssl: on',
      'X_Forwarded_User: mallory',
      'X-Forwarded_User: mallory',
      'X.Forwarded.User: mallory',
      'X-Stepgate-Acr: twilio_sms',
      'X-Stepgate-Anything: 1',
      'X-Team: hr',
      'X_Team: hr',
      'X_Client: 203.0.113.1',
      'X-Rewrite-URL: /denied',
      'X_Original_URL: /denied',
      'X-HTTP-Method-Override: POST',
      'Forwarded: host=app.example.com',
    ]) {
      const text = await send(t, ASK, [...traefik('GET', '/assets/x'), header])
      assert.deepEqual([statusesOf(text), json(text).error], [[403], 'forged-header'], header)
      assert.equal(door.logs('request.denied').at(-1)?.header, header.split(':', 1)[0])
    }
    const own = 'Authorization: Bearer of-the-application'
    const proxys = ['X-Forwarded-Port: 443', 'X-Forwarded-Server: edge', 'X-Client: 203.0.113.9']
    assert.equal(await status(t, ASK, [...traefik('GET', '/assets/x'), own, ...proxys]), 200)
  })

  test('judges every host that may be meant, and only the one that a whole statement names', async (t) => {
    const cookie = await door.cookieOf()
    // The rule for lax.example.com wants less than the default.
    const cases: readonly (readonly [readonly string[], number])[] = [
      [traefik('GET', '/x', 'lax.example.com'), 200],
      [traefik('GET', '/x', 'LAX.example.com:8443'), 200],
      [ingress('GET', '/x', 'lax.example.com'), 200],
      [nginx('GET', '/x', 'lax.example.com'), 200],
      [nginx('GET', '/x'), 401],
      // The client's own word, which nginx passes on.
      [[...nginx('GET', '/x'), 'X-Forwarded-Host: lax.example.com'], 401],
      [[...nginx('GET', '/x', 'b.example.com'), 'X-Forwarded-Host: lax.example.com'], 401],
      [[...nginx('GET', '/x', 'b.example.com'), 'X-Original-URL: https://lax.example.com/x'], 401],
      // The client's own statement, as whole as Traefik's, beside that of nginx.
      [
        [
          ...nginx('GET', '/x', 'b.example.com'),
          ...traefik('GET', '/x', 'lax.example.com').slice(1),
        ],
        401,
      ],
      [[`Host: ${HOST}`, ...traefik('GET', '/x', 'lax.example.com').slice(1)], 401],
    ]
    for (const [headers, expected] of cases) {
      assert.equal(await status(t, ASK, [...headers, cookie]), expected, headers.join('\n'))
    }
    const other = await openDoor({ env: { ...ENV, STEPGATE_PROXY_HEADERS: 'forwarded' } })
    t.after(() => other.close())
    const asked = [...nginx('GET', '/x', 'lax.example.com'), await other.cookieOf()]
    assert.equal(await status(t, ASK, asked, other), 200)
    const both = [...asked, 'Forwarded: host=app.example.com']
    assert.equal(await status(t, ASK, both, other), 401)
  })

  test('lets no page of elsewhere open a WebSocket', async (t) => {
    const cookie = await door.cookieOf()
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
    const upgrade = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', key]
    for (const socket of [
      [key],
      ['Sec-WebSocket-Version: 13'],
      ['Connection: Upgrade', ...upgrade],
    ]) {
      const asked = (origin: string) => {
        const headers = [...traefik('GET', '/basic'), ...socket, `Origin: ${origin}`, cookie]
        return sendRaw(t, door.port, rawRequest(ASK, headers.concat('Connection: close')))
      }
      assert.deepEqual(statusesOf(await asked(SITE)), [200])
      const refused = await asked('https://evil.example.com')
      assert.deepEqual([statusesOf(refused), json(refused).error], [[403], 'origin_not_allowed'])
    }
  })

  test('is an error, never a yes, when something fails', async (t) => {
    const broken = await openDoor({
      env: {
        STEPGATE_UPSTREAM: 'none',
        STEPGATE_TRUSTED_PROXIES: '127.0.0.1',
        STEPGATE_RULES: RULES,
      },
      change: (context) => ({
        ...context,
        upstream: {
          ...context.upstream,
          identityOf() {
            throw new TypeError('broken')
          },
        },
      }),
    })
    t.after(() => broken.close())
    const headers = [...traefik('GET', '/basic/x?y'), await broken.cookieOf()]
    for (const mode of [[], [STATUS]]) {
      assert.equal(await status(t, ASK, [...headers, ...mode], broken), 500)
    }
    const page = await send(t, ASK, [...headers, ...NAVIGATION], broken)
    assert.match(page, /href="\/basic\/x\?y"/)
  })

  test('is in the access log with what was asked about, without its query', async (t) => {
    await send(t, ASK, [...nginx('PUT', '/denied/x?secret=1'), await door.cookieOf()])
    const line = door.logs('request').at(-1)
    assert.deepEqual(
      [line?.path, line?.original_method, line?.original_path, line?.decision, line?.subject],
      ['/_stepgate/auth', 'PUT', '/denied/x', 'deny', 'subject-of-alice'],
    )
  })
})
