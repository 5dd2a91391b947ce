import assert from 'node:assert/strict'
import test from 'node:test'
import {
  DEFAULT_HEADERS,
  headersAsChanges,
  mergeHeaders,
  parseHeaders,
} from '../../proxy/config/parse-headers.ts'

function problemsOf(text: string): readonly string[] {
  const parsed = parseHeaders(text)
  return parsed.kind === 'wrong' ? parsed.problems : []
}

function merged(text: string): Record<string, string> {
  const parsed = parseHeaders(text)
  assert.ok(parsed.kind === 'ok', problemsOf(text).join())
  return Object.fromEntries(mergeHeaders(parsed.value).map(({ name, value }) => [name, value]))
}

const defaults = Object.fromEntries(DEFAULT_HEADERS.map(({ name, value }) => [name, value]))

test('entries are separated by semicolons or line breaks and added to the defaults', () => {
  assert.deepEqual(
    merged(
      'REMOTE_USER={username}; X-Team=a={groups}\n\n Authorization = Basic {username}:{secret} ;',
    ),
    {
      ...defaults,
      REMOTE_USER: '{username}',
      'X-Team': 'a={groups}',
      Authorization: 'Basic {username}:{secret}',
    },
  )
})

test('the name of a default replaces it in any spelling, and an empty value removes it', () => {
  const { 'X-Forwarded-User': _, 'X-Forwarded-Email': __, ...others } = defaults
  assert.deepEqual(merged('x_forwarded_user={email};X-FORWARDED-EMAIL='), {
    ...others,
    x_forwarded_user: '{email}',
  })
})

test('what the application is told can be written as changes and read again', () => {
  const headers = mergeHeaders([
    { name: 'X-Stepgate-Acr', value: '' },
    { name: 'X-New', value: '{sub}' },
  ])
  assert.deepEqual(mergeHeaders(headersAsChanges(headers)), headers)
  assert.ok(
    headersAsChanges(headers).some(({ name, value }) => name === 'X-Stepgate-Acr' && !value),
  )
})

for (const [text, problem] of [
  ['X-A', /^entry 1, "X-A…", must be written Name=\{template\}$/],
  ['hunter2-is-my-password', /^entry 1, "hun…", must be written/],
  ['={username}', /has no header name/],
  ['X-A={client_address};X-B=for={client_address}', /^entry 2, "X-B", may hold nothing beside/],
  ['X-B={username}{client_address}', /may hold nothing beside \{client_address\}/],
  ['X A={username}', /"X A", has no header name/],
  ['X-Ü={username}', /has no header name/],
  ['X-A={user}', /may hold in braces only \{username\}, .*\{secret\}$/],
  ['X-A={username', /may hold in braces only/],
  ['X-A=username}', /may hold in braces only/],
  ['X-A={}', /may hold in braces only/],
  ['X-A={{username}}', /may hold in braces only/],
  ['X-A=', /is empty, and is no default to take away/],
  ['X-A={username};x_a={email}', /^entry 2, "x_a", is there twice$/],
  ['X-A=a\tb', /control character/],
  ['X-A=a\u0000b', /control character/],
  ['Authorization=Basic bob:hunter2', /STEPGATE_HEADERS_SECRET/],
  ['Authorization=Basic {username}:x{secret}', /STEPGATE_HEADERS_SECRET/],
  ['Authorization=Bearer hunter2', /STEPGATE_HEADERS_SECRET/],
  ['Authorization=Basic {username}', /needs user:password/],
  ['Authorization=basic {username}:{secret}', /"Basic " in this spelling/],
] as const) {
  test(`${JSON.stringify(text)} is refused without showing its value`, () => {
    const problems = problemsOf(text)
    assert.equal(problems.length, 1, problems.join())
    assert.match(problems[0] ?? '', problem)
    assert.doesNotMatch(problems[0] ?? '', /hunter2|hunter2-is/)
  })
}

test('headers of the connection, the body and the target are not for identities', () => {
  const names = [
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authorization',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'transfer_encoding',
    'Upgrade',
    'Host',
    'Content-Length',
    'Cookie',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
    'Forwarded',
    'X-Original-URL',
    'X-HTTP-Method-Override',
    'Expect',
    'X-Request-Id',
    'X-Stepgate-Assertion',
  ]
  for (const name of names) {
    assert.match(problemsOf(`${name}={username}`).join(), /stepgate or HTTP itself sets/, name)
  }
})

test('each bad entry is a problem of its own', () => {
  assert.equal(problemsOf('Host={username};X-A={user};X-B={email};foo').length, 3)
})

test('a Basic credential may be empty or the secret', () => {
  merged('Authorization=Basic {username}:')
  merged('Authorization=Basic app:{secret}')
  merged('Authorization=Bearer {secret}')
})
