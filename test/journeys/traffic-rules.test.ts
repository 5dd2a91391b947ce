import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, type TestContext, test } from 'node:test'
import { type CountingUpstream, startCountingUpstream } from '../support/counting-upstream.ts'
import { type Door, openDoor } from '../support/door.ts'
import { headerOf, rawRequest, sendRaw, statusesOf } from '../support/raw-exchange.ts'
import { KEY, ORIGIN } from '../support/web-socket.ts'

const RULES = [
  'public      /public/** /health',
  'deny        /internal/**',
  'twilio_sms  /payroll/**  max_age=15m  groups=hr,admins',
  'twilio_sms  POST,PUT,DELETE /api/**',
  'twilio_sms  admin.example.com/**',
  'basic       app.example.com/reports/**  groups=hr',
].join('\n')
const NAVIGATION = ['Sec-Fetch-Mode: navigate', 'Accept: text/html']
const MINUTE = 60_000

describe('rules at the gate', () => {
  let upstream: CountingUpstream
  let door: Door
  let alice: string
  before(async () => {
    upstream = await startCountingUpstream()
    door = await openDoor({
      env: {
        STEPGATE_UPSTREAM: upstream.origin.origin,
        STEPGATE_DEFAULT_ACR: 'basic',
        STEPGATE_RULES: RULES,
        STEPGATE_SESSION_IDLE: '2h',
      },
    })
  })
  after(async () => {
    await door.close()
    await upstream.close()
  })
  beforeEach(async () => {
    alice = await door.cookieOf()
  })

  const ask = (
    t: TestContext,
    line: string,
    headers: readonly string[],
    host = 'app.example.com',
  ) =>
    sendRaw(
      t,
      door.port,
      rawRequest(`${line} HTTP/1.1`, [`Host: ${host}`, 'Connection: close', ...headers]),
    )
  /** The status, and whether it reached the application. */
  async function outcome(t: TestContext, line: string, headers: readonly string[], host?: string) {
    const text = await ask(t, line, headers, host)
    return [statusesOf(text)[0], upstream.take().length]
  }
  const withCode = (minutesAgo: number, groups: readonly string[] = ['hr']) =>
    door.cookieOf({ acr: 'twilio_sms', otpTime: door.now() - minutesAgo * MINUTE, groups })

  test('a method is judged, whatever a header calls it', async (t) => {
    for (const method of ['POST', 'PUT', 'DELETE']) {
      for (const override of [
        [],
        ['X-HTTP-Method-Override: GET'],
        ['X-HTTP-Method: GET'],
        ['X-Method-Override: GET'],
        ['x_http_method_override: GET'],
      ]) {
        const headers = [alice, 'Content-Length: 0', ...override]
        assert.deepEqual(await outcome(t, `${method} /api/x`, headers), [401, 0])
      }
    }
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'PATCH', 'PROPFIND']) {
      assert.deepEqual(await outcome(t, `${method} /api/x`, [alice]), [200, 1], method)
    }
  })

  test('where rules name methods, no override reaches the application', async (t) => {
    await ask(t, 'GET /api/x', [alice, 'X-HTTP-Method-Override: DELETE', 'x_method_override: PUT'])
    assert.doesNotMatch(upstream.take()[0]?.rawHeaders.join() ?? 'none', /override|none/i)
  })

  test('nothing that a client says of itself lowers what is needed', async (t) => {
    const lures = [
      'X-Original-URL: /public/x',
      'X-Rewrite-URL: /public/x',
      'X-Forwarded-Prefix: /public',
      'X-Forwarded-Uri: /public/x',
      'X-Original-Method: OPTIONS',
      'X-Forwarded-For: 127.0.0.1',
      'X-Real-IP: 127.0.0.1',
      'Forwarded: for=127.0.0.1',
      'User-Agent: kube-probe/1.31',
      'User-Agent: ELB-HealthChecker/2.0',
      'Referer: https://app.example.com/public/x',
      'Origin: https://app.example.com',
      'X-Forwarded-Host: app.example.com',
      'Authorization: Bearer x',
      'X-Stepgate-Acr: twilio_sms',
    ]
    for (const lure of lures) {
      assert.deepEqual(await outcome(t, 'GET /x', [lure]), [401, 0], lure)
      assert.deepEqual(await outcome(t, 'GET /internal/x?a=/public/x', [alice, lure]), [403, 0])
      assert.deepEqual(await outcome(t, 'POST /api/x?y=/health', [alice, lure]), [401, 0], lure)
    }
    for (const method of ['HEAD', 'OPTIONS', 'PROPFIND', 'POST', 'DELETE', 'QUERY']) {
      assert.deepEqual(await outcome(t, `${method} /x`, []), [401, 0], method)
      assert.deepEqual(await outcome(t, `${method} /internal`, [alice]), [403, 0], method)
    }
  })

  test('a rule of a host holds for that host, in any case and with any port', async (t) => {
    for (const host of ['admin.example.com', 'ADMIN.example.com:8443', 'admin.example.com.']) {
      assert.deepEqual(await outcome(t, 'GET /x', [alice], host), [401, 0], host)
    }
    assert.deepEqual(await outcome(t, 'GET /x', [alice]), [200, 1])
    assert.deepEqual(
      await outcome(t, 'GET /x', [alice, 'X-Forwarded-Host: x'], 'xadmin.example.com'),
      [200, 1],
    )
    assert.deepEqual(await outcome(t, 'GET /reports', [alice]), [403, 0])
    assert.deepEqual(await outcome(t, 'GET /reports', [alice], 'other.example.com'), [200, 1])
  })

  test('what is denied is denied in every spelling', async (t) => {
    const refused = [
      ...['//internal', '/x/../internal', '/%2e%2e/internal', '/x/..;/internal', '/./internal'],
      ...['/%2finternal', '/x%2f..%2finternal', '/%5cinternal', '/\\internal', '/x/..\\internal'],
      ...[
        '/internal%00',
        '/internal%0a',
        '/%c1%a9nternal',
        '/%e0%81%a9nternal',
        '/internal#',
        '/%',
      ],
      ...['/;/internal', '/internal/.', '/internal/..;x'],
    ]
    const denied = [
      ...[
        '/INTERNAL',
        '/%69nternal',
        '/internal/',
        '/internal;x=1',
        '/internal;x/y',
        '/internal%3bx',
      ],
      ...[
        '/internal?x=/public',
        '/internal%23',
        '/internal%3fx',
        '/Internal/%70ublic',
        '/internal/x',
      ],
    ]
    const allowed = ['/x?y=/internal', '/x?y=//../internal', '/x/internal', '/internals', '/%2578']
    for (const [targets, expected] of [
      [refused, [400, 0]],
      [denied, [403, 0]],
      [allowed, [200, 1]],
    ] as const) {
      for (const target of targets) {
        assert.deepEqual(await outcome(t, `GET ${target}`, [alice]), expected, target)
      }
    }
    const all = denied.map((target) =>
      rawRequest(`GET ${target} HTTP/1.1`, ['Host: app.example.com', alice]),
    )
    const last = rawRequest('GET /x HTTP/1.1', [
      'Host: app.example.com',
      'Connection: close',
      alice,
    ])
    const text = await sendRaw(t, door.port, all.join('') + last)
    assert.deepEqual(statusesOf(text), [...denied.map(() => 403), 200])
    assert.deepEqual(
      upstream.take().map(({ target }) => target),
      ['/x'],
    )
  })

  test('a code is good for as long as the rule says', async (t) => {
    const fresh = await withCode(14)
    assert.deepEqual(await outcome(t, 'GET /payroll', [fresh]), [200, 1])
    door.turnClock(2 * MINUTE)
    const program = await ask(t, 'GET /payroll?m=1', [fresh])
    assert.deepEqual(statusesOf(program), [401])
    assert.equal(
      headerOf(program, 'www-authenticate'),
      'Bearer realm="stepgate", error="insufficient_user_authentication", ' +
        'error_description="A one-time code is needed", acr_values="twilio_sms", max_age=900',
    )
    const { request_id: id, ...body } = JSON.parse(program.split('\r\n\r\n')[1] ?? '')
    assert.equal(id, headerOf(program, 'x-request-id'))
    assert.deepEqual(body, {
      error: 'insufficient_user_authentication',
      acr_values: 'twilio_sms',
      max_age: 900,
      step_up_url: 'https://app.example.com/_stepgate/otp?return_to=%2Fpayroll%3Fm%3D1&max_age=900',
    })
    const person = await ask(t, 'GET /payroll?m=1', [fresh, ...NAVIGATION])
    assert.deepEqual(statusesOf(person), [302])
    assert.equal(
      headerOf(person, 'location'),
      '/_stepgate/otp?return_to=%2Fpayroll%3Fm%3D1&max_age=900',
    )
    assert.deepEqual(await outcome(t, 'POST /api/x', [fresh, 'Content-Length: 0']), [200, 1])
    const [first, second] = door.logs('step_up.required').slice(-2)
    assert.equal(first?.request_id, id)
    assert.deepEqual(
      [second?.subject, second?.client, second?.acr, second?.max_age],
      ['subject-of-alice', '127.0.0.1', 'twilio_sms', 900],
    )
  })

  test('who is in none of the groups is denied before a code is asked for', async (t) => {
    for (const cookie of [alice, await withCode(1, ['staff']), await withCode(1, ['HR', 'hr2'])]) {
      const page = await ask(t, 'GET /payroll', [cookie, ...NAVIGATION])
      assert.deepEqual(statusesOf(page), [403])
      assert.match(headerOf(page, 'content-type') ?? '', /^text\/html/)
      assert.equal(door.logs('request.denied').at(-1)?.reason, 'groups')
    }
    assert.deepEqual(
      await outcome(t, 'GET /payroll', [await withCode(1, ['x', 'admins'])]),
      [200, 1],
    )
    assert.deepEqual(upstream.take(), [])
  })

  test('what is denied is denied to everybody, as a page or as JSON', async (t) => {
    for (const cookie of [[], [alice], [await withCode(0)]]) {
      const page = await ask(t, 'GET /internal/x', [...cookie, ...NAVIGATION])
      assert.deepEqual(statusesOf(page), [403])
      assert.match(headerOf(page, 'content-type') ?? '', /^text\/html/)
      assert.equal(headerOf(page, 'cache-control'), 'no-store')
      const json = await ask(t, 'GET /internal/x', cookie)
      const id = headerOf(json, 'x-request-id')
      assert.deepEqual(JSON.parse(json.split('\r\n\r\n')[1] ?? ''), {
        error: 'access_denied',
        request_id: id,
      })
      assert.equal(door.logs('request.denied').at(-1)?.request_id, id)
    }
    assert.deepEqual(upstream.take(), [])
  })

  test('a public path asks nothing, and a dead cookie is no obstacle', async (t) => {
    for (const cookie of [[], [alice], ['Cookie: __Host-stepgate=rubbish'], ['Cookie: =;;=']]) {
      assert.deepEqual(await outcome(t, 'GET /public/x', cookie), [200, 1])
    }
  })

  describe('somebody who is not signed in', () => {
    const PROGRAMS: Record<string, readonly string[]> = {
      fetch: ['Sec-Fetch-Mode: cors', 'Accept: */*'],
      'fetch that accepts HTML': ['Sec-Fetch-Mode: same-origin', 'Accept: text/html'],
      XMLHttpRequest: ['X-Requested-With: XMLHttpRequest', 'Accept: text/html'],
      'an API client': ['Accept: application/json'],
      'who says nothing': [],
      'an image': ['Sec-Fetch-Mode: no-cors', 'Sec-Fetch-Dest: image'],
      'a WebSocket': [
        ...['Upgrade: websocket', 'Connection: upgrade', 'Sec-Fetch-Mode: websocket'],
        ...['Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${KEY}`, ORIGIN],
      ],
    }
    for (const [name, headers] of Object.entries(PROGRAMS)) {
      test(`gets 401 as ${name}`, async (t) => {
        const text = await ask(t, 'GET /x?y=1', headers)
        assert.deepEqual(statusesOf(text), [401])
        assert.equal(headerOf(text, 'www-authenticate'), 'Bearer realm="stepgate"')
        assert.equal(headerOf(text, 'cache-control'), 'no-store')
        assert.equal(headerOf(text, 'set-cookie'), undefined)
        assert.deepEqual(JSON.parse(text.split('\r\n\r\n')[1] ?? ''), {
          error: 'sign_in_required',
          sign_in_url: 'https://app.example.com/_stepgate/sign-in?return_to=%2Fx%3Fy%3D1',
          request_id: headerOf(text, 'x-request-id'),
        })
        assert.deepEqual(upstream.take(), [])
      })
    }

    for (const [line, status] of [
      ['GET /x', 302],
      ['HEAD /x', 302],
      ['POST /x', 303],
    ] as const) {
      test(`is sent to the provider for ${line} as a navigation`, async (t) => {
        for (const headers of [NAVIGATION, ['Accept: text/html']]) {
          const text = await ask(t, line, [...headers, 'Content-Length: 0'])
          assert.deepEqual(statusesOf(text), [status])
          assert.match(headerOf(text, 'location') ?? '', /^https:\/\/login\.example\.com\//)
          assert.match(headerOf(text, 'set-cookie') ?? '', /^__Host-stepgate-browser=/)
          assert.equal(text.split('\r\n\r\n')[1], '')
          assert.deepEqual(upstream.take(), [])
        }
      })
    }
  })
})
