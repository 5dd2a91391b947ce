import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { createProvider } from '../../proxy/sign-in/provider-openid.ts'
import { loadedOk, loadWith } from '../config/valid-env.ts'
import { keptLog } from '../sign-in/parts.ts'
import { declareSecret } from '../support/canaries.ts'
import {
  type CountingUpstream,
  startCountingUpstream,
  valuesUnder,
} from '../support/counting-upstream.ts'
import { type Door, openDoor } from '../support/door.ts'
import { headerOf, rawRequest, sendRaw, statusesOf } from '../support/raw-exchange.ts'
import { API, startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts'
import { until } from '../support/until.ts'
import { accepting, closing, framesOf, handshake } from '../support/web-socket.ts'
import { rawApplication, rawClient } from '../upstream/sockets.ts'
import '../support/short-timers.ts'

const RULES = `
  public      /public
  twilio_sms  /api/pay/** bearer
  twilio_sms  /api/fresh/** max_age=10m bearer
  basic       /api/lately/** signed_in_within=10m bearer
  basic       /api/hr/** groups=hr bearer
  basic       POST /api/read/**
  basic       /api/** bearer
  basic       /**
`
const PAGE = ['Sec-Fetch-Mode: navigate', 'Accept: text/html']

let issuer: TokenIssuer
let upstream: CountingUpstream
before(async () => {
  issuer = await startTokenIssuer()
  upstream = await startCountingUpstream()
})
after(() => Promise.all([issuer.close(), upstream.close()]))

async function open(env: Readonly<Record<string, string>> = {}): Promise<Door> {
  const all = {
    STEPGATE_UPSTREAM: upstream.origin.origin,
    STEPGATE_OIDC_ISSUER: issuer.issuer.origin,
    STEPGATE_OIDC_TRUST_ACR: 'mfa',
    STEPGATE_RULES: RULES,
    STEPGATE_BEARER_AUDIENCE: API,
    ...env,
  }
  const { config, secrets } = loadedOk(loadWith(all))
  const provider = createProvider(config.oidc, secrets.oidcCredential, keptLog().log)
  const door = await openDoor({ env: all, overrides: { provider } })
  await until(async () => provider.isKnown())
  return door
}

function bearer(token: string): string {
  declareSecret('access token', token)
  return `Authorization: Bearer ${token}`
}

async function ask(
  t: TestContext,
  door: Door,
  headers: readonly string[],
  path = '/api/x',
  method = 'GET',
) {
  const fixed = ['Host: app.example.com', 'Connection: close', ...headers]
  const text = await sendRaw(t, door.port, rawRequest(`${method} ${path} HTTP/1.1`, fixed))
  return {
    status: statusesOf(text)[0],
    challenge: headerOf(text, 'www-authenticate'),
    text,
    arrivals: upstream.take(),
  }
}

describe('an access token that is a JWT', () => {
  let door: Door
  before(async () => {
    door = await open({ STEPGATE_ASSERTION: 'on' })
  })
  after(() => door.close())

  test('lets a machine in, with its identity and without itself', async (t) => {
    const token = await issuer.token({ groups: ['hr'], preferred_username: 'svc-reports' })
    const got = await ask(t, door, [bearer(token), 'Cookie: theirs=1', ...PAGE])
    assert.equal(got.status, 200)
    const [arrival, ...others] = got.arrivals
    assert.ok(arrival)
    assert.deepEqual(others, [])
    const told = (name: string) => valuesUnder(arrival, name)
    assert.deepEqual(told('X-Forwarded-User'), ['svc-reports'])
    assert.deepEqual(told('X-Forwarded-Groups'), ['hr'])
    assert.deepEqual(told('X-Stepgate-Subject'), ['machine-1'])
    assert.deepEqual(told('X-Stepgate-Acr'), ['basic'])
    assert.equal(told('X-Stepgate-Assertion').length, 1)
    assert.deepEqual(told('Authorization'), [])
    assert.deepEqual(told('Cookie'), ['theirs=1'])
    assert.equal(headerOf(got.text, 'set-cookie'), undefined)
    const line = door.logs('request').at(-1)
    assert.deepEqual([line?.decision, line?.subject], ['forward', 'machine-1'])
  })

  test('never makes a session, where one as old would be written again', async (t) => {
    const token = await issuer.token({ exp: Math.floor(Date.now() / 1000) + 50_000 })
    await ask(t, door, [bearer(token)])
    door.turnClock(40_000_000)
    const got = await ask(t, door, [bearer(token)])
    door.turnClock(-40_000_000)
    assert.equal(got.status, 200)
    assert.equal(headerOf(got.text, 'set-cookie'), undefined)
  })

  test('is refused when a check fails, and the log says which', async (t) => {
    const soon = Math.floor(Date.now() / 1000)
    const made: readonly (readonly [cause: string, token: Promise<string>])[] = [
      ['signature', issuer.token({}, { signing: 'none' })],
      ['signature', issuer.token({}, { signing: 'unsigned' })],
      ['signature', issuer.token({}, { signing: 'broken' })],
      ['signature', issuer.token({}, { signing: 'stranger' })],
      ['signature', issuer.token({}, { signing: 'unknown-kid' })],
      ['signature', issuer.token({}, { signing: 'hs256-secret' })],
      ['signature', issuer.token({}, { signing: 'hs256-public-key' })],
      ['signature', issuer.token({}, { header: { crit: ['exp'] } })],
      ['signature', Promise.resolve('opaque')],
      ['type', issuer.token({}, { header: { typ: 'logout+jwt' } })],
      ['type', issuer.token({}, { header: { typ: 'dpop+jwt' } })],
      ['issuer', issuer.token({ iss: 'https://elsewhere.example' })],
      ['audience', issuer.token({ aud: 'https://other.example.com' })],
      ['expired', issuer.token({ exp: soon - 61 })],
      ['not_yet_valid', issuer.token({ nbf: soon + 120 })],
      ['bound_to_a_key', issuer.token({ cnf: { jkt: 'x' } })],
      ['no_access_token', issuer.token({ nonce: 'n' })],
      ['no_access_token', issuer.token({ client_id: undefined }, { header: { typ: 'JWT' } })],
      ['no_access_token', issuer.token({ client_id: undefined }, { header: { typ: undefined } })],
      ['no_subject', issuer.token({ sub: '' })],
    ]
    for (const [cause, promise] of made) {
      const token = await promise
      for (const again of [false, true]) {
        const got = await ask(t, door, [bearer(token), ...PAGE])
        assert.deepEqual([got.status, got.arrivals], [401, []], `${cause} ${again}`)
        assert.match(got.challenge ?? '', /^Bearer realm="stepgate", error="invalid_token"/)
        const denied = door.logs('request.denied').at(-1)
        assert.deepEqual([denied?.reason, denied?.cause], ['token_invalid', cause])
        assert.equal(door.logs('request').at(-1)?.decision, 'deny')
      }
    }
    for (const typ of [undefined, 'JWT', 'application/at+jwt']) {
      const token = await issuer.token({}, { header: { typ } })
      assert.equal((await ask(t, door, [bearer(token)])).status, 200, `${typ}`)
    }
    const bare = await issuer.token({ client_id: undefined })
    assert.equal((await ask(t, door, [bearer(bare)])).status, 200)
  })

  test('is never taken together with a session, or with another one', async (t) => {
    const token = bearer(await issuer.token())
    const cookie = await door.cookieOf()
    const name = cookie.slice('Cookie: '.length).split('=', 1)[0]
    const attempts: readonly (readonly [string, readonly string[]])[] = [
      ['token_and_session', [token, cookie]],
      ['token_and_session', [token, `Cookie: a=b; ${name}=rubbish`]],
      ['token_and_session', [token, `Cookie: ${name}=`]],
      ['token_repeated', [token, token]],
      ['token_repeated', ['Authorization: Basic YTpi', token]],
      ['token_repeated', [token, 'authorization: Basic YTpi', cookie]],
      ['token_malformed', ['Authorization: Bearer']],
      ['token_malformed', ['Authorization: bearer a b']],
      ['token_malformed', ['Authorization: Bearer a,b']],
    ]
    for (const [reason, headers] of attempts) {
      const got = await ask(t, door, headers)
      assert.deepEqual([got.status, got.arrivals], [400, []], reason)
      assert.match(got.challenge ?? '', /error="invalid_request"/)
      assert.equal(door.logs('request.denied').at(-1)?.reason, reason)
    }
  })

  test('counts only where a rule says so, for each reading and method', async (t) => {
    const token = bearer(await issuer.token())
    for (const [path, method] of [
      ['/x', 'GET'],
      ['/api/read/x', 'POST'],
    ] as const) {
      const alone = await ask(t, door, [token], path, method)
      assert.deepEqual([alone.status, alone.arrivals], [401, []])
      assert.doesNotMatch(alone.challenge ?? '', /error/)
      const cookie = await door.cookieOf()
      const [arrival] = (await ask(t, door, [token, cookie], path, method)).arrivals
      assert.ok(arrival)
      assert.deepEqual(valuesUnder(arrival, 'X-Stepgate-Subject'), ['subject-of-alice'])
      assert.equal(`Authorization: ${valuesUnder(arrival, 'Authorization')}`, token)
    }
    assert.equal((await ask(t, door, [token], '/api/read/x')).status, 200)
    const [open] = (await ask(t, door, [token], '/public')).arrivals
    assert.deepEqual(open && valuesUnder(open, 'X-Stepgate-Subject'), [])
  })

  test('leaves people with a session alone where a rule takes both', async (t) => {
    const cookie = await door.cookieOf()
    const [arrival] = (await ask(t, door, [cookie, 'Authorization: Basic YTpi'])).arrivals
    assert.ok(arrival)
    assert.deepEqual(valuesUnder(arrival, 'X-Stepgate-Subject'), ['subject-of-alice'])
    assert.deepEqual(valuesUnder(arrival, 'Authorization'), ['Basic YTpi'])
    const nobody = await ask(t, door, PAGE)
    assert.equal(nobody.status, 302)
  })

  test('has to prove as much as the rule asks, and is told what', async (t) => {
    const now = Math.floor(Date.now() / 1000)
    const weak = bearer(await issuer.token({ acr: 'pwd' }))
    const got = await ask(t, door, [weak, ...PAGE], '/api/pay/x')
    assert.deepEqual([got.status, got.arrivals], [401, []])
    assert.match(
      got.challenge ?? '',
      /error="insufficient_user_authentication".*, acr_values="mfa"$/,
    )
    assert.equal(door.logs('step_up.required').at(-1)?.subject, 'machine-1')
    const strong = bearer(await issuer.token({ acr: 'mfa', auth_time: now - 1200 }))
    assert.equal((await ask(t, door, [strong], '/api/pay/x')).status, 200)
    const old = await ask(t, door, [strong], '/api/fresh/x')
    assert.equal(old.status, 401)
    assert.match(old.challenge ?? '', /, acr_values="mfa", max_age=600$/)
    const fresh = bearer(await issuer.token({ acr: 'mfa', auth_time: now }))
    assert.equal((await ask(t, door, [fresh], '/api/fresh/x')).status, 200)
  })

  test('has to say that somebody has signed in lately, where that is asked', async (t) => {
    const now = Math.floor(Date.now() / 1000)
    for (const auth_time of [undefined, now - 1200]) {
      const got = await ask(
        t,
        door,
        [bearer(await issuer.token({ auth_time })), ...PAGE],
        '/api/lately/x',
      )
      assert.deepEqual([got.status, got.arrivals], [401, []])
      assert.match(got.challenge ?? '', /error="insufficient_user_authentication".*, max_age=600$/)
      assert.doesNotMatch(got.challenge ?? '', /acr_values/)
    }
    const lately = bearer(await issuer.token({ auth_time: now - 300 }))
    assert.equal((await ask(t, door, [lately], '/api/lately/x')).status, 200)
  })

  test("gets the application's own challenge as it is", async (t) => {
    const challenge = 'Bearer error="insufficient_user_authentication", acr_values="twilio_sms"'
    const strict = await startCountingUpstream((_, response) => {
      response.writeHead(401, { 'WWW-Authenticate': challenge }).end('the application says no')
    })
    t.after(() => strict.close())
    const other = await open({ STEPGATE_UPSTREAM: strict.origin.origin })
    t.after(() => other.close())
    for (const more of [PAGE, []]) {
      const got = await ask(t, other, [bearer(await issuer.token()), ...more])
      assert.deepEqual([got.status, got.challenge], [401, challenge])
      assert.match(got.text, /the application says no/)
    }
    // A person is asked.
    const person = await ask(t, other, [await other.cookieOf(), ...PAGE])
    assert.equal(person.status, 302)
  })

  test('has to be of a group that the rule names', async (t) => {
    const without = await ask(t, door, [bearer(await issuer.token())], '/api/hr/x')
    assert.deepEqual([without.status, without.arrivals], [403, []])
    assert.equal(door.logs('request.denied').at(-1)?.reason, 'groups')
    const within = bearer(await issuer.token({ groups: ['hr'] }))
    assert.equal((await ask(t, door, [within], '/api/hr/x')).status, 200)
  })

  test('of a new key works within a second, and one that was verified also while the provider is down', async (t) => {
    const before = bearer(await issuer.token())
    assert.equal((await ask(t, door, [before])).status, 200)
    await issuer.rotate()
    const rotated = bearer(await issuer.token())
    await until(async () => (await ask(t, door, [rotated])).status === 200)
    issuer.break()
    const fetched = issuer.count('/jwks')
    assert.equal((await ask(t, door, [rotated])).status, 200)
    assert.equal((await ask(t, door, [before])).status, 200)
    assert.equal(issuer.count('/jwks'), fetched)
    issuer.break(false)
    const fresh = await open()
    issuer.break()
    const got = await ask(t, fresh, [rotated])
    assert.deepEqual([got.status, headerOf(got.text, 'retry-after'), got.arrivals], [503, '5', []])
    issuer.break(false)
    assert.equal((await ask(t, fresh, [rotated])).status, 200)
    await fresh.close()
  })
})

test('an access token that names no key may be of any that the provider publishes', async (t) => {
  const withdrawn = await issuer.token({}, { signing: 'no-kid' })
  await issuer.rotate()
  const first = await issuer.token({}, { signing: 'no-kid' })
  await issuer.rotate({ keep: true })
  const second = await issuer.token({}, { signing: 'no-kid' })
  const door = await open()
  t.after(() => door.close())
  for (const token of [first, second]) {
    assert.equal((await ask(t, door, [bearer(token)])).status, 200)
  }
  const got = await ask(t, door, [bearer(withdrawn)])
  assert.deepEqual([got.status, got.arrivals], [401, []])
  assert.equal(door.logs('request.denied').at(-1)?.cause, 'signature')
})

describe('an access token that the provider is asked about', () => {
  let door: Door
  before(async () => {
    door = await open({ STEPGATE_BEARER_INTROSPECTION: '60s' })
  })
  after(() => door.close())

  test('is good as long as the provider says so, by an answer that is believed for a while', async (t) => {
    const token = 'opaque-token-1'
    issuer.active.set(token, { sub: 'machine-2', aud: [API], token_type: 'Bearer' })
    const before = issuer.count('/introspect')
    for (const _ of [1, 2, 3]) assert.equal((await ask(t, door, [bearer(token)])).status, 200)
    assert.equal(issuer.count('/introspect'), before + 1)
    issuer.active.delete(token)
    assert.equal((await ask(t, door, [bearer(token)])).status, 200)
    door.turnClock(60_000)
    const got = await ask(t, door, [bearer(token)])
    assert.deepEqual([got.status, got.arrivals], [401, []])
    assert.equal(door.logs('request.denied').at(-1)?.cause, 'inactive')
    assert.equal((await ask(t, door, [bearer(token)])).status, 401)
    assert.equal(issuer.count('/introspect'), before + 2)
  })

  test('has to be for us, and not to be bound to a key', async (t) => {
    const claims = { sub: 'm', aud: API }
    const answers: readonly (readonly [string, object])[] = [
      ['audience', { ...claims, aud: 'x' }],
      ['audience', { sub: 'm' }],
      ['issuer', { ...claims, iss: 'https://elsewhere.example' }],
      ['expired', { ...claims, exp: 1 }],
      ['bound_to_a_key', { ...claims, cnf: { jkt: 'x' } }],
      ['no_access_token', { ...claims, token_type: 'DPoP' }],
    ]
    for (const [index, [cause, answer]] of answers.entries()) {
      const token = `opaque-token-of-others-${index}`
      issuer.active.set(token, { ...answer })
      assert.equal((await ask(t, door, [bearer(token)])).status, 401, cause)
      assert.equal(door.logs('request.denied').at(-1)?.cause, cause)
    }
  })

  test('is not decided about while the provider can not say', async (t) => {
    issuer.active.set('opaque-token-3', { sub: 'm', aud: API })
    issuer.break()
    assert.equal((await ask(t, door, [bearer('opaque-token-3')])).status, 503)
    assert.equal(door.logs('request').at(-1)?.decision, 'deny')
    issuer.break(false)
    assert.equal((await ask(t, door, [bearer('opaque-token-3')])).status, 200)
  })
})

test('a WebSocket opens with a token from nowhere, and closes when the token expires', async (t) => {
  const { origin, connections } = await rawApplication(t, accepting())
  const door = await open({ STEPGATE_UPSTREAM: origin.origin })
  t.after(() => door.close())
  const enter = async (exp: number) => {
    const token = bearer(await issuer.token({ exp: Math.floor(Date.now() / 1000) + exp }))
    const client = rawClient(t, door.port, handshake('/api/chat', [token]))
    await client.until((text) => text.includes('101 Switching'))
    return client
  }
  const [short, long] = [await enter(300), await enter(20_000)]
  await until(async () => door.context.underWay.webSockets() === 2)
  assert.ok(connections.every(({ received }) => !/^authorization:/im.test(received)))
  door.turnClock(361_000)
  const { text } = await short.ended
  assert.equal(framesOf(text), closing(4401, 'Session ended'))
  assert.equal(door.logs('websocket.closed').at(-1)?.reason, 'expired')
  // Longer than an idle session would live.
  door.turnClock(10_000_000)
  await until(async () => door.context.underWay.webSockets() === 1)
  assert.equal(framesOf(long.received()), '')
  door.turnClock(10_000_000)
  await long.ended
  const refused = rawClient(
    t,
    door.port,
    handshake('/api/chat', ['Authorization: Bearer nonsense']),
  )
  assert.deepEqual(statusesOf((await refused.ended).text), [401])
})
