import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { decide } from '../../proxy/policy/decide.ts'
import { isOwnTarget } from '../../proxy/request/own-path.ts'
import { parseTarget } from '../../proxy/request/target.ts'
import { loadWith } from '../config/valid-env.ts'
import { createClient } from '../support/cookie-jar.ts'
import { type CountingUpstream, startCountingUpstream } from '../support/counting-upstream.ts'
import { freshSession } from '../support/door.ts'
import { cookieLine, rawRequest, sendRaw, statusesOf } from '../support/raw-exchange.ts'
import { startWorld, type World } from '../support/world.ts'
import { signIn } from './steps.ts'

const RULES = {
  STEPGATE_DEFAULT_ACR: 'basic',
  STEPGATE_RULES:
    'deny /secret/**; twilio_sms /payroll/**; twilio_sms POST,DELETE /api/**; public /public/**',
}
const RUNS = Number(process.env.FC_RUNS ?? 400)

const PIECES = [
  ...['/', '/', '/', 'secret', 'SECRET', '%73ecret', 'secre%54', 'payroll', 'api', 'public'],
  ...['_stepgate', '%5fstepgate', 'healthz', '..', '.', '%2e', '%2E%2e', '%252e', '%2f', '%5c'],
  ...['\\', '//', ';x=1', ';', '%3b', '..;', '%00', '%0d%0a', '%', '%zz', '%u002e', '%25', '?'],
  ...['#', '%3f', '%23', '%c0%ae', '%e0%80%af', '\xe9', '%e9', '\xc3\xa9', '%20', '~', ':', '@'],
  ...['*', '"', '|', '^', '[', "'", '\x7f', '?x=/public/', '/./', '/../secret', '.%00.', '%ff'],
]
const target = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .array(fc.constantFrom(...PIECES), { maxLength: 7 })
      .map((pieces) => `/${pieces.join('')}`),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.constantFrom('', '', '', '/public', '/x', '/public/y', '/secret'),
        fc.constantFrom(
          ...[
            '/',
            '/',
            '/',
            '/',
            '/',
            '/',
            '/../',
            '/../../',
            '/%2e%2e/',
            '/.%2E/',
            '/..;/',
            '/./',
          ],
          ...['\\..\\', '/..\\', '/..%5c', '/..%2f', '//', '/;/', '/%c0%ae%c0%ae/', '/..%3b/'],
        ),
        fc.constantFrom('secret', 'SECRET', '%73ecret', 'payroll', 'api', '_stepgate', 'public'),
        fc.constantFrom(
          ...[
            '',
            '/',
            '/x',
            ';a',
            ';a/b',
            '%3ba',
            '?q=/../',
            '%3f',
            '%23',
            '/.',
            '.',
            '\\x',
            '%5cx',
          ],
        ),
      )
      .map((parts) => parts.join('')),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...['*', '', 'secret', 'http://app.example.com/secret', 'https://evil.example/public'],
      ...['http://127.0.0.1/public/../secret', 'app.example.com:443', '//evil.example/secret'],
    ),
  },
)
const method = fc.constantFrom(
  ...['GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND'],
  ...['TRACE', 'CONNECT', 'M-SEARCH', 'PURGE', 'FOO', 'get', 'Post', 'G@T'],
)
const header = fc.constantFrom(
  'X-Forwarded-User: admin',
  'x_forwarded_user: admin',
  'X-Original-URL: /public/',
  'x-rewrite-url: /public/',
  'X-HTTP-Method-Override: GET',
  'X-Forwarded-Host: evil.example',
  'X-Forwarded-For: 127.0.0.1',
  'Forwarded: for=127.0.0.1;host=evil.example',
  'Connection: cookie, x-request-id',
  'Upgrade: websocket',
  'Upgrade: h2c',
  'Expect: 100-continue',
  'User-Agent: kube-probe/1.31',
  'X-Stepgate-Acr: twilio_sms',
  'TE: trailers',
  'Trailer: X-Forwarded-User',
)
/** Tried in each run, before those that are made up. */
const CLASSICS = [
  '/secret;a',
  '/_stepgate',
  '/_stepgate;a',
  '/secret%3fx',
  '/SECRET/',
  '/%73ecret',
].map((path): [string, string, string[], string] => ['GET', path, [], 'none'])
const SMUGGLED = 'GET /secret/smuggled HTTP/1.1\r\nHost: app.example.com\r\n\r\n'
const body = fc.constantFrom('none', 'length', 'chunked')

describe('what reaches the application', () => {
  let upstream: CountingUpstream
  let world: World
  let cookie: string
  before(async () => {
    upstream = await startCountingUpstream()
    world = await startWorld({
      env: { ...RULES, STEPGATE_UPSTREAM: upstream.origin.origin, STEPGATE_ACCESS_LOG: 'off' },
    })
    const browser = createClient()
    await signIn(world, browser)
    cookie = cookieLine(browser, world.url)
    upstream.take()
  })
  after(async () => {
    await world.close()
    await upstream.close()
  })

  const framed = (kind: string) => {
    if (kind === 'none') return { framing: [], bytes: '' }
    if (kind === 'length') {
      return { framing: [`Content-Length: ${SMUGGLED.length}`], bytes: SMUGGLED }
    }
    const chunk = `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`
    return { framing: ['Transfer-Encoding: chunked'], bytes: chunk }
  }

  test('is byte for byte what the rules judged, at most once, and nothing that they refuse', async (t: TestContext) => {
    const loaded = loadWith(RULES)
    assert.equal(loaded.kind, 'ok')
    const { rules, defaultAcr } = loaded.kind === 'ok' ? loaded.config : assert.fail()
    let forwarded = 0
    let kept = 0

    const property = fc.asyncProperty(
      method,
      target,
      fc.uniqueArray(header, { maxLength: 4 }),
      body,
      async (verb, raw, headers, kind) => {
        const { framing, bytes } = framed(kind)
        const fixed = ['Host: 127.0.0.1', cookie, 'Connection: close', ...framing]
        const line = `${verb} ${raw} HTTP/1.1`
        const text = await sendRaw(
          t,
          world.url.port,
          rawRequest(line, [...fixed, ...headers], bytes),
        )
        const arrived = upstream.take()
        assert.ok(arrived.length <= 1, JSON.stringify(arrived))
        const [one] = arrived
        const parsed = parseTarget(raw, { encodedSlashes: 'reject' })
        if (one === undefined) {
          kept += 1
          // What is allowed and was not forwarded, node's parser has refused.
          const now = world.now()
          const { target: judged } = parsed.kind === 'ok' ? parsed : { target: undefined }
          if (judged === undefined || isOwnTarget(judged)) return
          const asked = { method: verb, hosts: ['127.0.0.1'], paths: judged.paths } as const
          const { kind: decision } = decide(rules, defaultAcr, freshSession(now), asked, now)
          if (decision === 'forward') assert.match(String(statusesOf(text)), /^(100,)?(400|405)$/)
          return
        }
        forwarded += 1
        assert.equal(one.target, raw)
        assert.equal(one.method, verb)
        assert.equal(one.body, kind === 'none' ? '' : SMUGGLED)
        assert.ok(parsed.kind === 'ok' && !isOwnTarget(parsed.target))
        const now = world.now()
        const asked = { method: verb, hosts: ['127.0.0.1'], paths: parsed.target.paths } as const
        const decision = decide(rules, defaultAcr, freshSession(now), asked, now)
        assert.equal(decision.kind, 'forward')
        for (const path of laxReadings(raw)) {
          assert.doesNotMatch(path, /^\/(secret|payroll|_stepgate)(\/|$)/, path)
          if (verb === 'POST' || verb === 'DELETE') assert.doesNotMatch(path, /^\/api(\/|$)/)
        }
      },
    )
    await fc.assert(property, { numRuns: RUNS, examples: CLASSICS })
    assert.ok(forwarded > RUNS / 20, `only ${forwarded} forwarded`)
    assert.ok(kept > RUNS / 20, `only ${kept} kept back`)
  })
})

/** What careless applications may make of a target; has nothing in common with `parseTarget`. */
function laxReadings(raw: string): string[] {
  const decode = (text: string) =>
    text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  const cut = (text: string) => text.replace(/;[^/]*/g, '')
  const end = (text: string) => text.split(/[?#\0]/, 1)[0] ?? ''
  const path = end(raw.replace(/^https?:\/\/[^/]*/, ''))
  return [path, cut(path)]
    .flatMap((text) => [decode(text), cut(decode(text)), end(decode(text)), cut(end(decode(text)))])
    .map((text) => {
      const out: string[] = []
      for (const segment of text.replaceAll('\\', '/').split('/')) {
        if (segment === '..') out.pop()
        else if (segment !== '.' && segment !== '') out.push(segment)
      }
      return `/${out.join('/')}`.toLowerCase()
    })
}
