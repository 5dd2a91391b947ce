import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseTarget, type TargetProblem } from '../../proxy/request/target.ts'

type Slashes = 'reject' | 'allow'

function pathsOf(raw: string, encodedSlashes: Slashes = 'reject'): readonly string[] {
  const parsed = parseTarget(raw, { encodedSlashes })
  assert.equal(parsed.kind, 'ok', `${raw} ${JSON.stringify(parsed)}`)
  return parsed.kind === 'ok' ? parsed.target.paths : []
}

function problemOf(raw: string, encodedSlashes: Slashes = 'reject'): TargetProblem | undefined {
  const parsed = parseTarget(raw, { encodedSlashes })
  return parsed.kind === 'rejected' ? parsed.reason : undefined
}

describe('targets with one reading', () => {
  const table = {
    '/': '/',
    '/a/B.css': '/a/b.css',
    '/a/': '/a/',
    '/%61dmin': '/admin',
    '/ADMIN': '/admin',
    '/%41DMIN': '/admin',
    '/a%20b': '/a b',
    '/a+b': '/a+b',
    '/a%2Bb': '/a+b',
    '/%7Euser': '/~user',
    '/caf%C3%A9': '/café',
    '/CAF%C3%89': '/café',
    '/caf\xc3\xa9': '/café',
    '/%E2%82%AC/%F0%9F%98%80': '/€/😀',
    '/%C5%BFecret': '/secret',
    '/100%25': '/100%',
    '/%2561dmin': '/%61dmin',
    '/.well-known/x': '/.well-known/x',
    '/a/...': '/a/...',
    '/a/..b/c..': '/a/..b/c..',
    '/a"<>^`{|}': '/a"<>^`{|}',
    '/a:b@c,d=e&f': '/a:b@c,d=e&f',
    "/~!$&'()*": "/~!$&'()*",
  }
  for (const [raw, path] of Object.entries(table)) {
    test(raw, () => assert.deepEqual(pathsOf(raw), [path]))
  }

  test('the query is kept as it is and plays no part', () => {
    const raw = '/A?x=/../%2f;//%00%zz\\&y=%0d?"'
    const parsed = parseTarget(raw, { encodedSlashes: 'reject' })
    const query = raw.slice(2)
    assert.deepEqual(parsed, { kind: 'ok', target: { raw, paths: ['/a'], query } })
    assert.deepEqual(pathsOf('/admin?x=/public'), ['/admin'])
    assert.deepEqual(pathsOf('/a?'), ['/a'])
  })
})

describe('targets with several readings', () => {
  const table: Record<string, readonly string[]> = {
    '/admin;x=1': ['/admin', '/admin;x=1'],
    '/a;x/b;y=%20': ['/a/b', '/a;x/b;y= '],
    '/a/;x': ['/a/', '/a/;x'],
    '/;x': ['/', '/;x'],
    '/a%3Bb': ['/a', '/a;b'],
    '/a;x%3By': ['/a', '/a;x;y'],
    '/a%3By;x': ['/a', '/a;y', '/a;y;x'],
    '/a%3Fb': ['/a?b', '/a'],
    '/a%23b/c': ['/a#b/c', '/a'],
    '/caf%E9': ['/café'],
    '/caf%c3%a9/%e9': ['/café/é', '/cafã©/é'],
    '/%C3%A9%80': ['/é\x80', '/ã©\x80'],
    '/%ED%A0%80': ['/í\xa0\x80'],
  }
  for (const [raw, paths] of Object.entries(table)) {
    test(raw, () => assert.deepEqual(new Set(pathsOf(raw)), new Set(paths)))
  }

  test('without parameters comes first', () => {
    assert.equal(pathsOf('/admin;x=1')[0], '/admin')
  })

  test('an encoded slash, where it is allowed, is a slash and a character', () => {
    const slash = (raw: string) => new Set(pathsOf(raw, 'allow'))
    assert.deepEqual(slash('/a%2Fb'), new Set(['/a/b', '/a%2fb']))
    assert.deepEqual(slash('/a%2f'), new Set(['/a/', '/a%2f']))
    assert.deepEqual(slash('/a;x%2fb'), new Set(['/a', '/a/b', '/a;x/b', '/a;x%2fb']))
    assert.ok(slash('/a%2fb;x%2fc').has('/a/b'))
    assert.ok(slash('/a%2fb;x%2fc').has('/a/b/c'))
  })

  test('there are never more than 32', () => {
    const raw = '/a;b%2fc%3bd%3fe%e9%c3%a9/f;g%2fh%3bi%23%ff'
    const { length } = pathsOf(raw, 'allow')
    assert.ok(length > 4 && length <= 32, String(length))
  })
})

describe('targets that are refused', () => {
  const table: Record<TargetProblem, readonly string[]> = {
    'not-origin-form': [
      '',
      '*',
      'http://app.example.com/admin',
      'app.example.com:443',
      'admin',
      ' /admin',
      '?x',
      '\\admin',
    ],
    fragment: ['/a#b', '/#', '/a?b#c'],
    'control-character': [
      '/a\0',
      '/a\x1f',
      '/a\x7f',
      '/a\tb',
      '/a?b\rc',
      '/a?\n',
      '/a?\x7f',
      '/a%00',
      '/a%0d%0aSet-Cookie:x',
      '/a%1F',
      '/a%7f',
      '/a%09',
      '/a\u0100',
      '/\u{1f600}',
    ],
    'malformed-escape': ['/%', '/a%2', '/%zz', '/%u002e', '/%u002e%u002e/x', '/%%32%65', '/a%/b'],
    'encoded-slash': ['/a%2fb', '/a%2Fb', '/%2f', '/..%2fadmin'],
    backslash: ['/\\evil', '/a\\b', '/a%5cb', '/a%5C..%5Cadmin', '/\\..\\x'],
    'overlong-character': [
      '/%c0%ae%c0%ae/x',
      '/%C0%AF',
      '/%c1%a1dmin',
      '/\xc0\xae',
      '/%e0%80%ae',
      '/%e0%81%a1dmin',
      '/%f0%80%80%ae',
      '/%f8%80%80%80%ae',
      '/%fc%80%80%80%80%ae',
      '/\xe0%80\xae',
    ],
    'empty-segment': [
      '//',
      '//evil',
      '/a//b',
      '/a//',
      '///',
      '/;/admin',
      '/;x/admin',
      '/%3b/admin',
    ],
    'dot-segment': [
      '/.',
      '/..',
      '/./a',
      '/a/./b',
      '/a/../b',
      '/a/..',
      '/x/../admin',
      '/%2e/a',
      '/%2e%2e/a',
      '/.%2e/a',
      '/%2E./a',
      '/..;/a',
      '/..;x=1/a',
      '/.;/a',
      '/..%3b/a',
      '/%2e%2e%3Bx/a',
      '/..%3fx',
      '/..%23',
      '/..%20/a',
      '/a/.%20',
      '/%252e%252e/a',
      '/%25252e/a',
      '/x/..%252f..%252fadmin',
      '/x/..%255cadmin',
      '/..%253b/a',
    ],
  }
  for (const [reason, targets] of Object.entries(table)) {
    for (const raw of targets) {
      test(`${JSON.stringify(raw)}: ${reason}`, () => {
        assert.equal(problemOf(raw), reason)
      })
    }
  }

  test('where encoded slashes are allowed, what hides behind them is refused all the same', () => {
    const hidden = {
      '/a/%2f..%2fadmin': 'dot-segment',
      '/a%2f..%2fadmin': 'dot-segment',
      '/a%2f%2e%2e': 'dot-segment',
      '/a;x%2f..': 'dot-segment',
      '/a%2f..;x%2fb': 'dot-segment',
      '/a%2f%2fb': 'empty-segment',
      '/%2fevil': 'empty-segment',
      '/a/%2fb': 'empty-segment',
      '/a%2f;x%2fb': 'empty-segment',
      '/;a%2fb/c': 'empty-segment',
      '/a%5cb': 'backslash',
      '/a%2f%00': 'control-character',
      '/a%2f..%5cb': 'backslash',
    } as const
    for (const [raw, reason] of Object.entries(hidden)) {
      assert.equal(problemOf(raw, 'allow'), reason, raw)
    }
  })
})

describe('any string', () => {
  const spice = fc.constantFrom(
    ...['/', '%', '%2', '%2f', '%2e', '.', '..', ';', '%3b', '%5c', '\\', '?', '#', '%c0', '%ae'],
    ...['%25', '//', '\xc3', '\xa9', '%e9', 'a', 'B', '*', 'http://', '%00', '\n', '%3f'],
  )
  const text = fc
    .array(fc.oneof(spice, fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 16 })
    .map((pieces) => pieces.join(''))
  const rawUrl = fc.oneof(
    text,
    text.map((rest) => `/${rest}`),
  )
  const options = fc.constantFrom<Slashes>('reject', 'allow')

  test('is either refused or kept byte for byte, and never throws', () => {
    let accepted = 0
    fc.assert(
      fc.property(rawUrl, options, (raw, encodedSlashes) => {
        const parsed = parseTarget(raw, { encodedSlashes })
        if (parsed.kind === 'rejected') return
        accepted += 1
        assert.equal(parsed.target.raw, raw)
        assert.ok(raw.endsWith(parsed.target.query))
        assert.ok(parsed.target.paths.length <= 32)
        for (const path of parsed.target.paths) {
          assert.match(path, /^\/(?!\/)/)
          assert.doesNotMatch(path, /\/\.{1,2}(\/|$)|\/\//)
        }
      }),
      { numRuns: 5000 },
    )
    assert.ok(accepted > 200, String(accepted))
  })

  test('that is long takes no longer than its length allows', () => {
    const deep = `/${'a;b%3bc%3f%e9/'.repeat(1200)}%2e.x`
    assert.ok(pathsOf(deep).length > 1)
    assert.equal(problemOf(`/${'.'.repeat(16_000)}/%`), 'malformed-escape')
    assert.equal(problemOf(`/${'%25'.repeat(5000)}2`), undefined)
    assert.equal(problemOf(`/.${'%20'.repeat(16_000)}x`), undefined)
  })
})
