import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect as connectHttp2 } from 'node:http2'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { startApplication } from '../../demo/application.ts'
import type { SeenRequest } from '../../demo/application-requests.ts'
import { declareSecret } from '../support/canaries.ts'
import { type Client, createClient, type Page } from '../support/cookie-jar.ts'
import { valuesUnder } from '../support/counting-upstream.ts'
import {
  type DeployedProxy,
  missingProxy,
  PROXY_KINDS,
  type ProxyKind,
  startDeployedProxy,
} from '../support/deployed-proxy.ts'
import { submitForm } from '../support/form.ts'
import { cookieLine, headerOf, rawRequest, sendRaw, statusesOf } from '../support/raw-exchange.ts'
import { signInAtProvider } from '../support/sign-in.ts'
import { API, startTokenIssuer } from '../support/token-issuer.ts'
import { KEY } from '../support/web-socket.ts'
import { ALICE } from '../support/world.ts'

const IDENTITY = {
  'X-Forwarded-User': 'mallory',
  'X-Forwarded-Email': 'mallory@example.com',
  'X-Forwarded-Preferred-Username': 'mallory',
  'X-Forwarded-Groups': 'admins',
  'X-Stepgate-Subject': 'mallory',
  'X-Stepgate-Acr': 'twilio_sms',
  'X-Stepgate-Amr': 'sms',
  'X-Stepgate-Auth-Time': '1',
  'X-Stepgate-Otp-Time': '1',
  'X-Stepgate-Assertion': 'mallory',
}
const SCRIPT = { 'sec-fetch-mode': 'cors', accept: 'application/json' }

const haproxy = PROXY_KINDS.find(({ name }) => name === 'HAProxy') as ProxyKind

for (const kind of PROXY_KINDS) {
  describe(`behind ${kind.name}, as deploy has it`, { skip: missingProxy(kind) }, () => {
    let proxy: DeployedProxy
    let alice: Client
    before(async () => {
      proxy = await startDeployedProxy(kind)
      alice = createClient({ now: proxy.world.now })
    })
    after(async () => {
      await alice?.close()
      await proxy?.stop()
    })

    const at = (path: string) => new URL(path, proxy.url)
    const seen = () => proxy.world.application.requests()
    const last = () => seen().at(-1) as SeenRequest
    /** Signs in on the way to `path`. */
    async function signIn(browser: Client, path: string, username: string): Promise<Page> {
      const start = await browser.get(at(path))
      return browser.followAll(await signInAtProvider(browser, start, username))
    }
    const raw = (t: TestContext, line: string, headers: readonly string[], body = '') => {
      const fixed = [`Host: ${proxy.url.host}`, 'Connection: close']
      return sendRaw(t, proxy.url.port, rawRequest(line, [...fixed, ...headers], body))
    }

    test('a person signs in, sees a page, and another one after a code', async () => {
      const page = await signIn(alice, '/basic/page?x=1&y=%2F', 'alice')
      assert.equal(page.url.href, at('/basic/page?x=1&y=%2F').href)
      assert.equal(last().url, '/basic/page?x=1&y=%2F')
      assert.equal(last().headers['x-forwarded-user'], 'alice')
      assert.equal(last().headers['x-forwarded-groups'], 'hr,staff')
      assert.equal(last().headers['x-stepgate-acr'], 'basic')

      const otp = await alice.followAll(await alice.get(at('/whoami?from=mail')))
      assert.match(otp.text(), /name="code"/)
      const done = await submitForm(alice, otp, { code: proxy.world.codeFor(ALICE) })
      const whoami = await alice.followAll(done)
      assert.equal(whoami.status, 200)
      assert.equal(whoami.json().url, '/whoami?from=mail')
      assert.equal(whoami.json().headers['x-stepgate-acr'], 'twilio_sms')
    })

    test('the application sees who it is, whatever the client says, and no cookie of ours', async (t) => {
      alice.setCookie(proxy.url, 'theme=dark; Path=/')
      await alice.get(at('/whoami'), { headers: IDENTITY })
      assert.equal(last().url, '/whoami')
      assert.deepEqual(valuesUnder(last(), 'x-forwarded-user'), ['alice'])
      assert.deepEqual(valuesUnder(last(), 'x-forwarded-groups'), ['hr,staff'])
      for (const [name, spoofed] of Object.entries(IDENTITY)) {
        const values = valuesUnder(last(), name)
        assert.equal(values.length, 1, name)
        assert.ok(name === 'X-Stepgate-Acr' || values[0] !== spoofed, name)
      }
      // The provider's are there too, which is on the same host.
      const cookies = String(last().headers.cookie)
      assert.ok(cookies.includes('theme=dark') && !cookies.includes('stepgate'), cookies)
      await jwtVerify(
        String(last().headers['x-stepgate-assertion']),
        createRemoteJWKSet(at('/_stepgate/jwks.json')),
        { audience: proxy.url.origin, currentDate: new Date(proxy.world.now()) },
      )

      const basic = 'Basic YTpi'
      const own = [cookieLine(alice, proxy.url), `Authorization: ${basic}`]
      await raw(t, 'GET /public HTTP/1.1', own)
      assert.deepEqual(valuesUnder(last(), 'authorization'), [basic])
      assert.deepEqual(valuesUnder(last(), 'x-forwarded-user'), ['alice'])
      assert.equal(last().headers.cookie ?? '', '')

      for (const browser of [createClient(), alice]) {
        const { status } = await browser.get(at('/public'), { headers: IDENTITY })
        assert.equal(status, 200)
        const user = browser === alice ? ['alice'] : []
        assert.deepEqual(valuesUnder(last(), 'x-forwarded-user'), user)
        assert.equal(valuesUnder(last(), 'x-stepgate-assertion').length, user.length)
        assert.deepEqual(valuesUnder(last(), 'authorization'), [])
      }
      // Hop by hop, a proxy would take away what it has set itself, or leave that to the next one.
      const named = ['X-Forwarded-User', 'X-Stepgate-Acr', 'X-Stepgate-Assertion']
      await sendRaw(
        t,
        proxy.url.port,
        rawRequest('GET /basic/named HTTP/1.1', [
          `Host: ${proxy.url.host}`,
          `Connection: close, ${named.join(', ')}`,
          cookieLine(alice, proxy.url),
        ]),
      )
      assert.equal(last().url, '/basic/named')
      for (const name of named) assert.equal(valuesUnder(last(), name).length, 1, name)
      assert.doesNotMatch(valuesUnder(last(), 'connection').join(), /x-/i)

      const judged = {
        ...(!kind.forwards && { 'X-Original-Method': 'GET' }),
        'X-Original-URI': '/basic/said',
        'X-Forwarded-Method': 'GET',
        'X-Forwarded-Uri': '/basic/said',
      }
      const surroundings = { 'X-Forwarded-Port': '666', 'X-Forwarded-Server': 'evil' }
      const misleading = { ...judged, ...surroundings, 'X-Real-IP': '192.0.2.66' }
      await alice.get(at('/basic/said'), { headers: misleading })
      assert.equal(last().url, '/basic/said')
      for (const [name, said] of Object.entries(misleading)) {
        assert.ok(!valuesUnder(last(), name).includes(said), name)
      }
      for (const name of ['X-Forwarded-Prefix', 'X-Forwarded-Scheme', 'X-Forwarded-Ssl']) {
        const before = seen().length
        await raw(t, 'GET /public HTTP/1.1', [`${name}: evil`])
        for (const arrived of seen().slice(before)) {
          assert.deepEqual(valuesUnder(arrived, name), [])
        }
      }
      for (const spelling of ['X_Forwarded_User', 'X-Forwarded_Groups', 'X.Stepgate.Acr']) {
        const before = seen().length
        await raw(t, 'GET /public HTTP/1.1', [`${spelling}: mallory`])
        for (const arrived of seen().slice(before)) {
          assert.deepEqual(valuesUnder(arrived, spelling), [])
        }
      }
    })

    test('programs are told where to go, and what is denied is a page of ours', async () => {
      const nobody = await createClient().get(at('/basic?a=1'), { headers: SCRIPT })
      assert.equal(nobody.status, 401)
      assert.equal(nobody.headers.get('www-authenticate'), 'Bearer realm="stepgate"')
      const back = encodeURIComponent('/basic?a=1')
      assert.equal(nobody.json().sign_in_url, at(`/_stepgate/sign-in?return_to=${back}`).href)

      const denied = await alice.get(at('/denied'))
      assert.equal(denied.status, 403)
      assert.match(denied.headers.get('content-type') ?? '', /^text\/html/)
      assert.match(denied.text(), /stepgate/)
      assert.ok(seen().every(({ url }) => !url.startsWith('/denied')))
    })

    test('methods are judged as they are, and a body arrives whole', async () => {
      const bob = createClient({ now: proxy.world.now })
      await signIn(bob, '/basic', 'bob')
      const form = { amount: '17', note: 'ä & ö' }
      for (const [method, status] of [
        ['GET', 404],
        ['PUT', 404],
        ['POST', 401],
      ] as const) {
        const before = seen().length
        const options = { headers: SCRIPT, ...(method !== 'GET' && { form }) }
        const page = await bob.request(method, at('/basic/form'), options)
        assert.equal(page.status, status, method)
        assert.equal(seen().length - before, status === 401 ? 0 : 1, method)
        if (status === 404) assert.equal(last().method, method)
        else assert.match(page.headers.get('www-authenticate') ?? '', /acr_values="twilio_sms"/)
        if (status === 401) assert.match(page.json().step_up_url, /\/_stepgate\/otp\?/)
      }
      const held = await bob.post(at('/basic/form'), form)
      assert.equal(held.status, 303)
      await bob.close()

      await alice.post(at('/basic/form'), form)
      assert.deepEqual(
        [last().method, last().url, last().body],
        ['POST', '/basic/form', new URLSearchParams(form).toString()],
      )
    })

    test('what was judged is what is served, however it is written', async (t) => {
      const cookie = cookieLine(alice, proxy.url)
      const before = seen().length
      const odd = [
        '/public/../denied/x',
        '/public/%2e%2e/denied/x',
        '/public/..%2fdenied/x',
        '/public/..;/denied/x',
        '/./denied/x',
        '//denied/x',
        '/public//denied/x',
        '/%64enied/x',
        '/denied%2fx',
        '/DENIED/x',
        '/denied;a=b/x',
        '/denied/x?/public',
        '/public%00/../denied',
        '/public/%5c..%5cdenied',
        '/public\\..\\denied',
        '/%c0%ae%c0%ae/denied',
        '/_stepgate/../denied/x',
        '/_stepgate%2f..%2fdenied/x',
        '/public#/../denied',
        `${proxy.url.origin}/denied/x`,
      ]
      for (const target of odd) {
        for (const method of ['GET', 'POST']) {
          const body = method === 'POST' ? ['Content-Length: 1'] : []
          const text = await raw(t, `${method} ${target} HTTP/1.1`, [cookie, ...body], 'x')
          const [status = 0] = statusesOf(text)
          assert.ok(status >= 400 && status < 500, `${method} ${target}: ${text.slice(0, 200)}`)
        }
      }
      assert.deepEqual(
        seen()
          .slice(before)
          .map(({ url }) => url),
        [],
      )
      for (const target of [
        '/public/a%20b',
        '/public/%7Euser/~x',
        '/public/a;b=c/d',
        '/public/%e4%C3%A4',
        '/public/a+b:c@d!$&(),=',
        '/public/%25%32%35',
        '/public/x?q=//a/../b&r=%2F%2e%2e%00#'.slice(0, -1),
        '/public/?',
        '/public/x/',
      ]) {
        await raw(t, `GET ${target} HTTP/1.1`, [])
        assert.equal(last().url, target)
        const judged = proxy.world.logs('request').at(-1)
        assert.equal(judged?.decision, 'forward')
        const path = kind.forwards ? judged?.path : judged?.original_path
        assert.equal(path, target.split('?', 1)[0])
      }
    })

    test('nobody but the proxy can ask', async (t) => {
      const cookie = cookieLine(alice, proxy.url)
      const said = ['GET', '/public'].flatMap((text, index) => {
        const what = index === 0 ? 'Method' : 'Uri'
        return [`X-Forwarded-${what}: ${text}`, `X-Original-${what}: ${text}`]
      })
      for (const path of [
        '/_stepgate/auth',
        '/_stepgate/auth?x=1',
        '/_stepgate/auth/public',
        '/_stepgate/%61uth',
        '/_stepgate/%61uth/public',
        '/_STEPGATE/auth',
        '//_stepgate/auth',
        '/_stepgate//auth',
        '/_stepgate/./auth',
        '/x/../_stepgate/auth',
        '/%5fstepgate/auth',
        '/_stepgate/auth;x',
        '/_stepgate_ask',
      ]) {
        for (const headers of [[], said, said.slice(0, 2), said.slice(2)]) {
          const text = await raw(t, `GET ${path} HTTP/1.1`, [cookie, ...headers])
          const [status] = statusesOf(text)
          const isPage = status === 404 && last().url === path
          assert.ok(isPage || (status && status >= 400), `${path}: ${text.slice(0, 200)}`)
          assert.equal(headerOf(text, 'x-forwarded-user'), undefined, path)
        }
      }
    })

    test('a WebSocket is let through for a page of ours alone', async (t) => {
      const open = async (origin: string, own: readonly string[]) => {
        const socket = connect(Number(proxy.url.port), '127.0.0.1')
        const upgrade = [
          'Connection: Upgrade, X-Forwarded-User',
          'Upgrade: websocket',
          'Sec-WebSocket-Version: 13',
        ]
        const headers = [...upgrade, `Sec-WebSocket-Key: ${KEY}`, `Origin: ${origin}`, ...own]
        const host = `Host: ${proxy.url.host}`
        socket.write(rawRequest('GET /board HTTP/1.1', [host, ...headers]))
        const [data] = await once(socket, 'data')
        socket.destroy()
        return statusesOf(data.toString('latin1'))
      }
      const cookie = cookieLine(alice, proxy.url)
      assert.deepEqual(await open(proxy.url.origin, [cookie]), [101])
      assert.deepEqual(await open('https://evil.example.com', [cookie]), [403])
      assert.deepEqual(await open(proxy.url.origin, []), [401])

      if (kind !== haproxy) return
      // RFC 8441: over HTTP/2 there is neither `Upgrade` nor a key.
      const session = connectHttp2(proxy.url.origin)
      t.after(() => session.destroy())
      await once(session, 'remoteSettings')
      for (const [origin, expected] of [
        [proxy.url.origin, 200],
        ['https://evil.example.com', 403],
      ] as const) {
        const stream = session.request({
          ':method': 'CONNECT',
          ':protocol': 'websocket',
          ':path': '/board',
          'sec-websocket-version': '13',
          cookie: cookie.slice('Cookie: '.length),
          origin,
        })
        const [headers] = await once(stream, 'response')
        stream.close()
        assert.equal(headers[':status'], expected, origin)
      }
    })

    test('a session lives on by use, with as many groups as there are', async () => {
      const groups = Array.from(
        { length: 300 },
        (_, index) => `cn=group-number-${index},ou=groups,dc=example,dc=com`,
      )
      proxy.world.provider.setClaims('carol', { groups })
      const carol = createClient({ now: proxy.world.now })
      await signIn(carol, '/basic', 'carol')
      const first = carol.cookies(proxy.url)
      for (let round = 0; round < 3; round++) {
        proxy.world.turnClock(40 * 60_000)
        const page = await carol.get(at('/basic'))
        assert.equal(page.status, 200)
        assert.equal(page.url.pathname, '/basic')
        assert.equal(
          last().headers['x-forwarded-groups'],
          groups.map((name) => name.replaceAll(',', '%2C')).join(','),
        )
      }
      assert.ok(first.stepgate)
      assert.notEqual(carol.cookies(proxy.url).stepgate, first.stepgate)
      await carol.close()
    })

    test('nothing is let through when stepgate is gone', async () => {
      const { port } = proxy.world.application.url
      await proxy.closeWorld()
      const application = await startApplication({ port: Number(port) })
      try {
        const page = await alice.get(at('/public'))
        assert.ok(page.status >= 500, `${page.status}`)
        assert.deepEqual(application.requests(), [])
      } finally {
        await application.close()
      }
    })
  })
}

for (const kind of PROXY_KINDS) {
  test(`behind ${kind.name} a machine comes with an access token, which stays there`, {
    skip: missingProxy(kind),
  }, async (t) => {
    const issuer = await startTokenIssuer()
    t.after(() => issuer.close())
    const env = { STEPGATE_RULES: 'basic /** bearer', STEPGATE_BEARER_AUDIENCE: API }
    const proxy = await startDeployedProxy(kind, { issuer: issuer.issuer, env })
    t.after(() => proxy.stop())
    const machine = createClient()
    const ask = (token: string) => {
      declareSecret('access token', token)
      const authorization = `Bearer ${token}`
      return machine.get(new URL('/whoami', proxy.url), { headers: { authorization } })
    }
    const page = await ask(await issuer.token())
    assert.equal(page.status, 200)
    const [seen, ...others] = proxy.world.application.requests()
    assert.ok(seen && others.length === 0)
    assert.deepEqual(valuesUnder(seen, 'authorization'), [])
    assert.deepEqual(valuesUnder(seen, 'x-stepgate-subject'), ['machine-1'])
    const refused = await ask(await issuer.token({ aud: 'https://other.example.com' }))
    assert.equal(refused.status, 401)
    assert.match(refused.headers.get('www-authenticate') ?? '', /error="invalid_token"/)
    assert.equal(proxy.world.application.requests().length, 1)
  })
}

// HAProxy asks four times over, which is too long for a test.
for (const kind of PROXY_KINDS.filter((one) => !one.forwards && one !== haproxy)) {
  test(`${kind.name} lets nothing through while stepgate does not answer`, {
    skip: missingProxy(kind),
  }, async (t) => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    silent.unref()
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const proxy = await startDeployedProxy(kind, { stepgate: `127.0.0.1:${port}`, patience: 1 })
    t.after(() => proxy.stop())
    const page = await createClient().get(new URL('/public', proxy.url))
    assert.ok(page.status >= 500, `${page.status}`)
    assert.deepEqual(proxy.world.application.requests(), [])
  })
}

test('HAProxy lets nothing through when its script fails', {
  skip: missingProxy(haproxy),
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'stepgate-script-'))
  t.after(() => rm(folder, { recursive: true }))
  const script = join(folder, 'broken.lua')
  await writeFile(
    script,
    'core.register_action("stepgate", { "http-req" }, function() error("broken") end, 1)',
  )
  const proxy = await startDeployedProxy(haproxy, { script })
  t.after(() => proxy.stop())
  const page = await createClient().get(new URL('/public', proxy.url))
  assert.equal(page.status, 503)
  assert.deepEqual(proxy.world.application.requests(), [])
})
