import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeConfig } from '../../proxy/config/describe-config.ts'
import { loadedOk, loadWith, sentences } from './valid-env.ts'

function written(text: string): string | undefined {
  const { config, secrets } = loadedOk(loadWith({ STEPGATE_UPSTREAM: text }))
  return /^STEPGATE_UPSTREAM=(.*)$/m.exec(describeConfig(config, secrets))?.[1]
}

test('an address alone, or several, are for everything', () => {
  assert.equal(written('http://127.0.0.1:3000/'), 'http://127.0.0.1:3000')
  assert.equal(
    written(' http://a:1 ,https://b, unix:/run/c.sock'),
    'http://a:1, https://b, unix:/run/c.sock',
  )
  assert.equal(written('/ → http://a:1'), 'http://a:1')
  assert.equal(written('/**->http://a:1'), 'http://a:1')
})

test('lines or semicolons name what goes where, the longest first', () => {
  const text = `
    # what is new
    http://old:80
    /api /V2/** → http://api:1, http://api:2
    /api/reports→unix:/run/r.sock; Shop.Example.com -> https://shop
    [::1]/x/ → http://v6
  `
  assert.equal(
    written(text),
    [
      '[::1]/x → http://v6',
      'shop.example.com/ → https://shop',
      '/api/reports → unix:/run/r.sock',
      '/api → http://api:1, http://api:2',
      '/v2 → http://api:1, http://api:2',
      'http://old',
    ].join('; '),
  )
})

test('what is described can be read again', () => {
  const text = 'a.example.com/x → http://a:1, unix:/s; /y → https://b; http://c'
  assert.equal(written(written(text) ?? ''), text)
})

for (const [text, ...expected] of [
  ['# later', /names no address/],
  ['app:3000', /^STEPGATE_UPSTREAM is "app:3000"; it must begin with http:\/\/ or https:\/\/$/],
  ['http://a http://b', /is "http:\/\/a http:\/\/b"; holds white space.*commas/],
  ['http://a,', /has a place for an address that holds none/],
  ['http://a,http://A:80/', /names http:\/\/a twice/],
  ['/api', /is "\/api"; has no arrow; write host\/path → address/],
  ['/api => http://a', /has no arrow/],
  ['→ http://a', /names no path before the arrow/],
  ['/api →', /has a place for an address that holds none/],
  ['/a → http://a /b → http://b', /more than one arrow/],
  ['/a → http://u:hunter2@a', /is "\/a → http:\/\/\*\*\*@a"; it must not hold a user name/],
  [
    '/a → http://a\n/a* → http://b\n/c/**/d → http://b',
    /^STEPGATE_UPSTREAM line 2, "\/a\* → http:\/\/b": \/a\* has a \*/,
    /^STEPGATE_UPSTREAM line 3, .*has a \*/,
  ],
  ['/a → http://a; /A/** → http://b', /^STEPGATE_UPSTREAM line 1, .*: \/a is in line 1 already/],
  ['http://a\nhttp://b', /line 2, "http:\/\/b": \/ is in line 1 already/],
  ['/a//b → http://a', /requests with \/\/ are refused/],
  ['/a%20b → http://a', /compared decoded/],
  ['/_stepgate/x → http://a', /_stepgate/],
  ['intranet → http://a', /begins neither with \/ nor with a host name/],
  ['https://app.example.com/x → http://a', /begins with a scheme; write host\/path without it/],
  ['/a → http://a # old', /white space in an address.*comment/],
  ['/a → http://localhost:8080; http://b', /is where stepgate itself listens/],
] as const) {
  test(`it is said what is wrong with ${JSON.stringify(text)}`, () => {
    const problems = sentences(loadWith({ STEPGATE_UPSTREAM: text }))
    const found = problems.filter((problem) => problem.startsWith('STEPGATE_UPSTREAM'))
    assert.equal(found.length, expected.length, found.join('\n'))
    for (const [index, pattern] of expected.entries()) assert.match(found[index] ?? '', pattern)
    assert.ok(!found.join().includes('hunter2'))
  })
}

test('that something is left out is worth a warning, and so is one address of several in the clear', () => {
  const warnings = (text: string) => loadedOk(loadWith({ STEPGATE_UPSTREAM: text })).warnings.join()
  assert.match(warnings('/a → http://a; app.example.com → http://b'), /no line covers .* 404/)
  assert.doesNotMatch(warnings('/a → http://a; http://b'), /404/)
  assert.match(warnings('/a → http://a, http://a.example.org; http://b'), /in the clear/)
})
