import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type ClientFacts,
  compileHeaderSettings,
  rebuildHeaders,
} from '../../proxy/upstream/rebuild-headers.ts'

const client: ClientFacts = {
  chain: ['192.0.2.7'],
  host: 'app.example.com',
  proto: 'https',
  requestId: 'ours',
}
const identity = ['X-Forwarded-User', 'alice', 'REMOTE_USER', 'alice', 'X-Team', 'hr']
const ours = [
  ...['X-Forwarded-For', '192.0.2.7', 'X-Forwarded-Host', 'app.example.com'],
  ...['X-Forwarded-Proto', 'https'],
  ...['Forwarded', 'for=192.0.2.7;host=app.example.com;proto=https', 'X-Request-Id', 'ours'],
  ...identity,
]

function settingsOf(rulesNameMethods = true, addressNames: readonly string[] = []) {
  return compileHeaderSettings({
    identityNames: ['X-Forwarded-User', 'REMOTE_USER', 'X-Team', ...addressNames],
    addressNames,
    ownCookieNames: ['__Host-stepgate', '__Host-stepgate-browser', '__Host-stepgate-resume'],
    rulesNameMethods,
  })
}
const settings = settingsOf()

/** What of the client's own headers passes. */
function passing(...raw: string[]): string[] {
  const headers = rebuildHeaders(raw, settings, identity, client)
  assert.deepEqual(headers.slice(-ours.length), ours)
  return headers.slice(0, -ours.length)
}

test('ordinary headers pass in their order, with their spelling, bytes and repetitions', () => {
  const raw = ['Host', 'App.example.com:443', 'accept', 'a', 'X-Ünicode'.slice(0, 2), 'gr\xfc\xdfe']
  const more = ['Accept', 'b', 'Content-Length', '5', 'Authorization', 'Bearer x', 'X_Other', '1']
  assert.deepEqual(passing(...raw, ...more), [...raw, ...more])
})

const dropped = [
  ...['Keep-Alive', 'Proxy-Connection', 'TE', 'Trailer', 'Transfer-Encoding', 'Upgrade', 'Expect'],
  ...['Proxy-Authorization', 'Proxy-Authenticate', 'HTTP2-Settings', 'Connection', 'Proxy'],
  ...['X-Forwarded-User', 'x-forwarded-user', 'X_FORWARDED_USER', 'X-Forwarded_User'],
  ...['X.Forwarded.User', 'X-Forwarded-For', 'X-Forwarded-Host', 'X_Forwarded_Proto'],
  ...['X-Forwarded-Port', 'X-Forwarded-Prefix', 'X-Forwarded-Uri', 'X-Forwarded', 'Forwarded'],
  ...['Remote-User', 'remote_user', 'X_TEAM', 'X-Stepgate-Subject', 'x_stepgate_anything'],
  ...['X-Request-Id', 'x_request_id', 'X-Original-URL', 'X_Original_Url', 'X-Rewrite-URL'],
  ...['X-Original-URI', 'X-Original-Host', 'X-Host', 'X-Script-Name', 'Content_Length'],
  ...['X-HTTP-Method-Override', 'X_HTTP_METHOD_OVERRIDE', 'X-HTTP-Method', 'X-Method-Override'],
]
for (const name of dropped) {
  test(`a client's ${name} does not reach the application`, () => {
    assert.deepEqual(passing('A', '1', name, 'spoofed', 'B', '2'), ['A', '1', 'B', '2'])
  })
}

const addresses = [
  ...['X-Real-IP', 'x_real_ip', 'X-Client-IP', 'True-Client-IP', 'CF-Connecting-IP', 'Client-IP'],
  ...['X-Cluster-Client-IP', 'Fastly-Client-IP', 'X-Original-Forwarded-For', 'REMOTE_ADDR'],
]
for (const name of addresses) {
  test(`${name} does not reach the application, as a proxy may pass on a client's own`, () => {
    assert.deepEqual(passing('A', '1', name, '10.0.0.1'), ['A', '1'])
  })
}

test('a header that is to hold the address of the client holds that, and what was sent is dropped', () => {
  const named = settingsOf(true, ['X-Real-IP', 'Ip'])
  const raw = ['x_real_ip', '6.6.6.6', 'X-Real-IP', '6.6.6.6', 'IP', '6.6.6.6', 'A', '1']
  const believed = { ...client, chain: ['203.0.113.9', '10.1.1.1'] }
  const headers = rebuildHeaders(raw, named, [], believed)
  assert.deepEqual(headers.slice(0, 8), [
    ...['A', '1', 'X-Forwarded-For', '203.0.113.9, 10.1.1.1'],
    ...['X-Real-IP', '203.0.113.9', 'Ip', '203.0.113.9'],
  ])
  const unknown = rebuildHeaders(raw, named, [], { ...client, chain: [] })
  assert.deepEqual(unknown.slice(0, 4), ['A', '1', 'X-Forwarded-Host', 'app.example.com'])
})

test('method overrides pass when no rule names a method', () => {
  const raw = ['X-HTTP-Method-Override', 'PUT', 'X-HTTP-Method', 'PUT', 'X_Method_Override', 'PUT']
  const headers = rebuildHeaders(raw, settingsOf(false), [], client)
  assert.deepEqual(headers.slice(0, raw.length), raw)
})

test('headers named in Connection go, in any case, wherever they stand', () => {
  const raw = ['X-Hop', '1', 'Connection', 'close, x-hop', 'connection', 'X-Other,', 'x-Other', '2']
  assert.deepEqual(passing(...raw, 'X-Stays', '3'), ['X-Stays', '3'])
})

test('Connection takes away neither our headers nor host, length and cookies', () => {
  const named = 'host, content-length, cookie, x-forwarded-user, remote_user, x-request-id, x-team'
  const raw = ['Host', 'h', 'Content-Length', '5', 'Cookie', 'a=1']
  assert.deepEqual(passing('Connection', named, ...raw), raw)
})

test('a length beside chunked framing goes, whichever comes first', () => {
  assert.deepEqual(passing('Content-Length', '5', 'Transfer-Encoding', 'chunked', 'A', '1'), [
    'A',
    '1',
  ])
  assert.deepEqual(passing('Transfer-Encoding', 'chunked', 'Content-Length', '5'), [])
})

test('of several hosts the first is sent', () => {
  assert.deepEqual(passing('Host', 'a', 'host', 'b'), ['Host', 'a'])
})

const cookies: [sent: string, passed: string | undefined][] = [
  ['a=1; b=2', 'a=1; b=2'],
  ['__Host-stepgate=x', undefined],
  ['__Host-stepgate=x; a=1', 'a=1'],
  ['a=1; __Host-stepgate=x', 'a=1'],
  ['a=1;__Host-stepgate.0=x;__Host-stepgate.1=y ;b="2"', 'a=1;b="2"'],
  ['a=1;  b=2 ; __Host-stepgate-browser=x;c', 'a=1;  b=2 ;c'],
  ['__Host-stepgate = x; __Host-stepgate; __Host-stepgate-resume=y;', undefined],
  ['__Host-stepgate=x; ; ', undefined],
  ['__Host-stepgate2=x; __Host-stepgate.x=y', '__Host-stepgate2=x; __Host-stepgate.x=y'],
  ['a=__Host-stepgate=x', 'a=__Host-stepgate=x'],
  ['a="x; __Host-stepgate=y; z"', 'a="x; z"'],
  ['a=gr\xfc\xdfe; __Host-stepgate=x', 'a=gr\xfc\xdfe'],
]
for (const [sent, passed] of cookies) {
  test(`Cookie: ${sent} passes as ${passed ?? 'nothing'}`, () => {
    assert.deepEqual(passing('cookie', sent), passed === undefined ? [] : ['cookie', passed])
  })
}

test('each of several Cookie headers is cleaned', () => {
  const raw = ['Cookie', '__Host-stepgate=x; a=1', 'Cookie', '__Host-stepgate=y', 'Cookie', 'b=2']
  assert.deepEqual(passing(...raw), ['Cookie', 'a=1', 'Cookie', 'b=2'])
})

function forwardedFor(facts: Partial<ClientFacts>, ...sent: string[]): string | undefined {
  const raw = sent.flatMap((value) => ['X-Forwarded-For', value])
  const headers = rebuildHeaders(raw, settings, [], { ...client, ...facts })
  const at = headers.indexOf('X-Forwarded-For')
  assert.equal(at, headers.lastIndexOf('X-Forwarded-For'))
  return at < 0 ? undefined : headers[at + 1]
}

test('X-Forwarded-For is the chain that is believed, whatever was sent', () => {
  assert.equal(forwardedFor({}, '6.6.6.6'), '192.0.2.7')
  assert.equal(forwardedFor({ chain: ['1.1.1.1', '2.2.2.2'] }, '6.6.6.6'), '1.1.1.1, 2.2.2.2')
  assert.equal(forwardedFor({ chain: [] }, '6.6.6.6'), undefined)
})

test('however a client spells it, the application reads one value of each of our headers', () => {
  const names = ['x-forwarded-user', 'remote-user', 'x-team', 'x-request-id', 'x-forwarded-proto']
  const spelling = fc
    .tuple(fc.constantFrom(...names), fc.infiniteStream(fc.constantFrom('-', '_', '.')), fc.nat())
    .map(([name, separators, bits]) =>
      [...name]
        .map((char, i) =>
          char === '-'
            ? separators.next().value
            : (bits >> (i % 30)) & 1
              ? char.toUpperCase()
              : char,
        )
        .join(''),
    )
  const header = fc.oneof(
    fc.tuple(spelling, fc.constant('mallory')),
    fc.tuple(fc.constantFrom('Connection', 'connection'), spelling),
    fc.tuple(fc.constantFrom('Accept', 'Cookie', 'Host', 'X-A'), fc.constant('x')),
  )
  fc.assert(
    fc.property(fc.array(header), (sent) => {
      const headers = rebuildHeaders(sent.flat(), settings, identity, client)
      const seen = new Map<string, string[]>()
      for (let i = 0; i < headers.length; i += 2) {
        const key = headers[i]!.toLowerCase().replace(/[^a-z0-9]/g, '_')
        seen.set(key, [...(seen.get(key) ?? []), headers[i + 1]!])
      }
      assert.deepEqual(seen.get('x_forwarded_user'), ['alice'])
      assert.deepEqual(seen.get('remote_user'), ['alice'])
      assert.deepEqual(seen.get('x_team'), ['hr'])
      assert.deepEqual(seen.get('x_request_id'), ['ours'])
      assert.deepEqual(seen.get('x_forwarded_proto'), ['https'])
      assert.equal(seen.has('connection'), false)
    }),
  )
})

test('a flood of made-up names neither changes a verdict nor fills the memory of verdicts', () => {
  for (let i = 0; i < 3000; i++) passing(`X-Flood-${i}`, '1')
  assert.deepEqual(passing('X_Forwarded_User', 'mallory', 'A', '1'), ['A', '1'])
})
