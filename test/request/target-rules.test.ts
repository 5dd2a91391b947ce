import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { describe, test } from 'node:test'
import { parse as parseLegacy } from 'node:url'
import fc from 'fast-check'
import { decide } from '../../proxy/policy/decide.ts'
import { compilePathPattern, parsePathPattern } from '../../proxy/policy/path-pattern.ts'
import type { Decision, Rule } from '../../proxy/policy/rule.ts'
import { parseTarget } from '../../proxy/request/target.ts'

/** How some application reads the path of a raw target; undefined if it can't. */
type Application = (raw: string) => string | undefined

function beforeQuery(raw: string): string {
  return raw.split('?', 1)[0] ?? ''
}

function withoutParameters(path: string): string {
  return path.replace(/;[^/]*/g, '')
}

function decodeUtf8(path: string): string | undefined {
  try {
    return decodeURIComponent(Buffer.from(path, 'latin1').toString())
  } catch {
    return undefined
  }
}

function decodeLatin1(path: string): string {
  return path.replace(/%([\da-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** Like C: accepts overlong forms and doesn't look whether bytes go on. */
function decodeLax(path: string): string {
  return decodeLatin1(path)
    .replace(/[\xc0-\xdf][\x80-\xbf]/g, (s) => code((byte(s, 0, 0x1f) << 6) | byte(s, 1, 0x3f)))
    .replace(/[\xe0-\xef][\x80-\xbf]{2}/g, (s) =>
      code((byte(s, 0, 0x0f) << 12) | (byte(s, 1, 0x3f) << 6) | byte(s, 2, 0x3f)),
    )
}

function byte(text: string, index: number, mask: number): number {
  return text.charCodeAt(index) & mask
}

function code(point: number): string {
  return String.fromCharCode(point)
}

const APPLICATIONS: Readonly<Record<string, Application>> = {
  'takes the raw path': (raw) => beforeQuery(raw),
  'decodes UTF-8': (raw) => decodeUtf8(beforeQuery(raw)),
  'decodes Latin-1': (raw) => decodeLatin1(beforeQuery(raw)),
  'decodes overlong UTF-8': (raw) => decodeLax(beforeQuery(raw)),
  'cuts parameters off, then decodes': (raw) => decodeUtf8(withoutParameters(beforeQuery(raw))),
  'decodes, then cuts parameters off': (raw) => {
    const decoded = decodeUtf8(beforeQuery(raw))
    return decoded === undefined ? undefined : withoutParameters(decoded)
  },
  'decodes by segment': (raw) =>
    beforeQuery(raw)
      .split('/')
      .map((segment) => decodeUtf8(segment) ?? decodeLatin1(segment))
      .join('/'),
  'parses as WHATWG says': (raw) => {
    const url = URL.parse(raw, 'http://app.example.com')
    return url?.host === 'app.example.com' ? decodeUtf8(url.pathname) : undefined
  },
  'parses as node:url did': (raw) => {
    const { pathname } = parseLegacy(raw)
    return pathname === null ? undefined : decodeUtf8(pathname)
  },
  'resolves dots and double slashes after decoding': (raw) => {
    const decoded = decodeUtf8(beforeQuery(raw))
    return decoded === undefined ? undefined : posix.normalize(decoded)
  },
  'cuts parameters off, then resolves dots (Tomcat)': (raw) => {
    const decoded = decodeUtf8(withoutParameters(beforeQuery(raw)))
    return decoded === undefined ? undefined : posix.normalize(decoded)
  },
  'takes a backslash for a slash (IIS)': (raw) =>
    posix.normalize(decodeLax(beforeQuery(raw)).replaceAll('\\', '/')),
  'parses once more after decoding': (raw) =>
    decodeUtf8(beforeQuery(raw))?.split('#', 1)[0]?.split('?', 1)[0],
  'ends at NUL (C)': (raw) => decodeLatin1(beforeQuery(raw)).split('\0', 1)[0],
}

/** As it is compared: case and a slash at the end don't count. */
function compared(path: string): string {
  return path.toLowerCase().replace(/(?<=.)\/$/, '')
}

const SECRETS = ['/admin', '/admin/users', '/a b/c', '/café', '/x.php', '/k', '/']

const PIECES = [
  '/',
  '.',
  '..',
  ';',
  ';x',
  '%3b',
  '%3Bx=1',
  '%2f',
  '%5c',
  '\\',
  '//',
  '/./',
  '/x/../',
]
const MORE = ['%2e', '%2e%2e/', '..;/', '%00', '%c0%ae', '%c0%af', '?x=/public', '#', '%23', '%3f']
const LEGIT = [';v=1', '/', '?a=b', 'x', '%20', '%25', '\xe9', '%e9', '%ff', '%C3%A9', 'public/']

const PIECE = fc.oneof(fc.constantFrom(...PIECES, ...MORE), fc.constantFrom(...LEGIT))

/** A character of a path in one of the ways in which it can be written. */
function spellings(character: string): fc.Arbitrary<string> {
  const utf8 = Buffer.from(character)
  const hex = [...utf8].map((one) => `%${one.toString(16).padStart(2, '0')}`).join('')
  const bytes = utf8.toString('latin1')
  const overlong = utf8.length === 1 ? overlongForms(utf8[0] ?? 0) : []
  const upper = Buffer.from(character.toUpperCase()).toString('latin1')
  return fc.oneof(
    { weight: 12, arbitrary: fc.constant(bytes) },
    fc.constantFrom(hex, hex.toUpperCase(), upper, `%25${hex.slice(1)}`, ...overlong),
  )
}

function overlongForms(ascii: number): string[] {
  const two = [0xc0 | (ascii >> 6), 0x80 | (ascii & 0x3f)]
  const three = [0xe0, 0x80 | (ascii >> 6), 0x80 | (ascii & 0x3f)]
  return [two, three].map((form) => form.map((one) => `%${one.toString(16)}`).join(''))
}

function spelled(path: string): fc.Arbitrary<string> {
  return fc.tuple(...[...path].map(spellings)).map((characters) => characters.join(''))
}

function insertAt(text: string, at: number, piece: string): string {
  const index = at % (text.length + 1)
  return text.slice(0, index) + piece + text.slice(index)
}

/** Spellings of a secret path with up to three pieces put in anywhere, most of them tricks. */
const RAW = fc
  .constantFrom(...SECRETS)
  .chain((secret) =>
    fc
      .tuple(spelled(secret), fc.array(fc.tuple(fc.nat(30), PIECE), { maxLength: 3 }))
      .map(([text, pieces]) => pieces.reduce((raw, [at, piece]) => insertAt(raw, at, piece), text)),
  )

function ruleFor(path: string, requires: Rule['requires']): Rule {
  return { source: path, requires, matchesPath: compilePathPattern(parsePathPattern(path)) }
}

function judge(rules: readonly Rule[], paths: readonly [string, ...string[]]): Decision['kind'] {
  const request = { method: 'GET', hosts: ['app.example.com'], paths } as const
  return decide(rules, 'public', undefined, request, 0).kind
}

for (const encodedSlashes of ['reject', 'allow'] as const) {
  describe(`what an application reads is what the rules judged (encoded slashes: ${encodedSlashes})`, () => {
    for (const [name, read] of Object.entries(APPLICATIONS)) {
      test(`an application that ${name}`, () => {
        let caught = 0
        fc.assert(
          fc.property(RAW, (raw) => {
            const parsed = parseTarget(raw, { encodedSlashes })
            if (parsed.kind === 'rejected') return
            const served = compared(read(raw) ?? '')
            const secret = SECRETS.find((path) => path === served)
            if (secret === undefined) return
            caught += 1
            assert.equal(judge([ruleFor(secret, 'deny')], parsed.target.paths), 'deny', secret)
          }),
          { numRuns: 3000 },
        )
        assert.ok(caught > 100, `only ${caught} targets led to a secret`)
      })
    }
  })
}

test('a path that is denied is not opened by a pattern that only some readings match', () => {
  const rules = [ruleFor('/**/*.css', 'public'), ruleFor('/public/**', 'public')]
  const all = [...rules, ruleFor('/**', 'deny')]
  const tricks = ['/admin;.css', '/admin;x.css', '/admin%3bx.css', '/admin%3f.css', '/admin%23.css']
  for (const raw of tricks) {
    const parsed = parseTarget(raw, { encodedSlashes: 'reject' })
    assert.ok(parsed.kind === 'ok')
    assert.equal(judge(all, parsed.target.paths), 'deny', raw)
  }
  const slash = parseTarget('/public%2fx', { encodedSlashes: 'allow' })
  assert.ok(slash.kind === 'ok')
  assert.equal(judge(all, slash.target.paths), 'deny')
})

test("parameters don't keep a public path from being public", () => {
  const rules = [ruleFor('/login', 'public'), ruleFor('/x/*.css', 'public'), ruleFor('/**', 'deny')]
  for (const raw of [
    '/login;jsessionid=1A',
    '/login/;jsessionid=1',
    '/x/a.css;v=2',
    '/x;y/a.css',
  ]) {
    const parsed = parseTarget(raw, { encodedSlashes: 'reject' })
    assert.ok(parsed.kind === 'ok')
    assert.equal(judge(rules, parsed.target.paths), 'forward', raw)
  }
})

test('a pattern with a wildcard sees the parameters too, for applications that know none', () => {
  const rules = [ruleFor('/files/*.php', 'deny')]
  for (const raw of [
    '/files/x;y.php',
    '/files/x.php;y',
    '/files/x%3By.php',
    '/files/x%3Ba.php;b',
  ]) {
    const parsed = parseTarget(raw, { encodedSlashes: 'reject' })
    assert.ok(parsed.kind === 'ok')
    assert.equal(judge(rules, parsed.target.paths), 'deny', raw)
  }
})
