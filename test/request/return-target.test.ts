import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { goingOnTo, returnTarget } from '../../proxy/request/return-target.ts'

const PUBLIC = new URL('https://app.example.com')

describe('where a person goes on', () => {
  const table: Record<string, string> = {
    '/': '/',
    '/a/b?c=d&e=/f': '/a/b?c=d&e=/f',
    '/A%20b?x=%0d%0a': '/A%20b?x=%0d%0a',
    '/a?next=https://evil.example/': '/a?next=https://evil.example/',
    '/@evil.example': '/@evil.example',
    '/a#part': '/a',
    '/#': '/',
    '/a%2Fb': '/a%2Fb',
    '/a;x=1': '/a;x=1',
    '/search?q=a b "c"': '/search?q=a%20b%20"c"',
    '/café?q=😀': '/caf%C3%A9?q=%F0%9F%98%80',
    '/caf\xc3\xa9': '/caf%C3%A9',
    '/a\ud800': '/a%EF%BF%BD',
    'https://app.example.com': '/',
    'https://app.example.com/': '/',
    'https://app.example.com/a?b#c': '/a?b',
    'https://APP.example.com:443/A': '/A',
    'https://app.example.com?a=b': '/?a=b',
    'https://app.example.com#x': '/',
    '/_stepgatex/y': '/_stepgatex/y',
    '/_stepgate/stepped-up': '/_stepgate/stepped-up',
    'https://app.example.com/_stepgate/stepped-up#x': '/_stepgate/stepped-up',
    '/a/_stepgate/b': '/a/_stepgate/b',
  }
  for (const [input, expected] of Object.entries(table)) {
    test(`${JSON.stringify(input)}: ${expected}`, () => {
      assert.equal(returnTarget(input, PUBLIC), expected)
    })
  }
})

describe('of our own pages only those that lead on', () => {
  const id = 'Az09_-'.padEnd(43, 'x')
  const table: Record<string, string> = {
    [`/_stepgate/resume?id=${id}`]: `/_stepgate/resume?id=${id}`,
    [`/_stepgate/resume?id=${id}x`]: '/',
    [`/_stepgate/resume?id=${id}#x`]: '/',
    [`/_stepgate/resume?id=${id}&id=${id}`]: '/',
    [`/_stepgate/resume/?id=${id}`]: '/',
    [`//x/_stepgate/resume?id=${id}`]: '/',
    [`https://app.example.com/_stepgate/resume?id=${id}`]: '/',
    '/_stepgate/resume': '/',
    '/_stepgate/going-on?return_to=%2Fa%3Fb%3Dc%26d':
      '/_stepgate/going-on?return_to=%2Fa%3Fb%3Dc%26d',
    '/_stepgate/going-on?return_to=/a b': '/_stepgate/going-on?return_to=%2Fa%2520b',
    '/_stepgate/going-on?return_to=/a&x=y': '/_stepgate/going-on?return_to=%2Fa',
    '/_stepgate/going-on?return_to=%2F%2Fevil.example': '/_stepgate/going-on?return_to=%2F',
    '/_stepgate/going-on?return_to=%2F_stepgate%2Fsign-out': '/_stepgate/going-on?return_to=%2F',
    [`/_stepgate/going-on?return_to=%2F_stepgate%2Fresume%3Fid%3D${id}`]:
      '/_stepgate/going-on?return_to=%2F',
    '/_stepgate/going-on?return_to=%2F_stepgate%2Fgoing-on%3Freturn_to%3D%2Fa':
      '/_stepgate/going-on?return_to=%2F',
    '/_stepgate/going-on?x=/a': '/',
    '/_stepgate/going-on': '/',
  }
  for (const [input, expected] of Object.entries(table)) {
    test(`${JSON.stringify(input)}: ${expected}`, () => {
      assert.equal(returnTarget(input, PUBLIC), expected)
      assert.equal(returnTarget(expected, PUBLIC), expected)
    })
  }
})

describe('what leads elsewhere, or in circles, becomes the start', () => {
  const table = [
    '',
    'evil',
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/%5cevil.example',
    '/%2fevil.example',
    '/%2F/evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '/\r\nSet-Cookie: a=b',
    '/a\0',
    '/a%0d%0ab',
    '\t//evil.example',
    ' //evil.example',
    ' /a',
    '/a\x7f',
    'https:evil.example',
    'https:/evil.example',
    'https:app.example.com/a',
    'https:/app.example.com/a',
    'https:\\\\app.example.com/a',
    'https://evil.example/a',
    'https://app.example.com.evil.example/a',
    'https://app.example.com@evil.example/a',
    'https://user@app.example.com/a',
    'https://evil.example\\@app.example.com/a',
    'https://app.example.com\\evil',
    'https://app.example.com:8443/a',
    'https://app.example.com//evil.example',
    'http://app.example.com/a',
    'htt\tps://app.example.com/a',
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'data:text/html,x',
    '/./a',
    '/../a',
    '/a/%2e%2e//evil.example',
    '/.;//evil.example',
    '/;/evil.example',
    '/_stepgate',
    '/_stepgate/',
    '/_stepgate/otp?return_to=/a',
    '/_stepgate/stepped-up?x',
    '/_stepgate/stepped-up/',
    '/_stepgate/Stepped-Up',
    '/_STEPGATE/otp',
    '/%5fstepgate/otp',
    '/_stepgate;x/otp',
    '/_stepgate%2fotp',
    '/_stepgate?x',
    '/_stepgate%3fx',
    '/%5Fstepgate%3bx/otp',
    'https://app.example.com/_stepgate/sign-out',
    '/%',
    '/%c0%ae%c0%ae/',
    '*',
    '?a=b',
    '#a',
  ]
  for (const input of table) {
    test(JSON.stringify(input), () => assert.equal(returnTarget(input, PUBLIC), '/'))
  }

  test('nothing', () => assert.equal(returnTarget(undefined, PUBLIC), '/'))

  test('what is longer than 2,048 characters, also only when it is encoded', () => {
    const longest = `/${'a'.repeat(2047)}`
    assert.equal(returnTarget(longest, PUBLIC), longest)
    assert.equal(returnTarget(`${longest}a`, PUBLIC), '/')
    assert.equal(returnTarget(`/${'€'.repeat(1000)}`, PUBLIC), '/')
  })

  test('but for the sake of a fragment no page is lost', () => {
    for (let length = 200; length < 340; length++) {
      const target = `/search?q=${encodeURIComponent('п'.repeat(length))}`
      const page = returnTarget(goingOnTo(target), PUBLIC)
      assert.equal(page, length < 202 ? goingOnTo(target) : target)
    }
  })
})

test('with a port in the public URL only that port is ours', () => {
  const local = new URL('http://localhost:8080')
  assert.equal(returnTarget('http://localhost:8080/a', local), '/a')
  assert.equal(returnTarget('http://localhost/a', local), '/')
})

test('whatever comes in, a browser stays on this host and outside of our own pages', () => {
  const spice = fc.constantFrom(
    ...['/', '\\', '//', 'https:', 'http:', 'javascript:', '@', 'evil.example', '%2f', '%5c', '.'],
    ...[
      'app.example.com',
      '_stepgate',
      '/_stepgate/',
      '\t',
      '\n',
      '\r',
      ' ',
      '%09',
      '..',
      ';',
      '#',
    ],
    ...['?', '%2e', '%5f', 'https://app.example.com', '\ud800', 'é', '\xe9', ':443', ':', 'a'],
  )
  const piece = fc.oneof(
    { weight: 4, arbitrary: spice },
    fc.string({ unit: 'binary', maxLength: 3 }),
  )
  const text = fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join(''))
  const input = fc.oneof(
    text,
    text.map((rest) => `/${rest}`),
  )
  let kept = 0
  fc.assert(
    fc.property(input, (from) => {
      const target = returnTarget(from, PUBLIC)
      if (target !== '/') kept += 1
      const url = new URL(target, PUBLIC)
      assert.equal(url.origin, PUBLIC.origin)
      assert.equal(url.username, '')
      assert.doesNotMatch(decodeURIComponent(url.pathname.replace(/%(?![2-7])/g, '')), OWN)
      assert.match(target, /^\/(?![/\\])[\x21-\x7e]*$/)
      assert.equal(returnTarget(target, PUBLIC), target)
    }),
    { numRuns: 5000 },
  )
  assert.ok(kept > 200, String(kept))
})

const OWN = /^\/_stepgate(\/|$)/i
