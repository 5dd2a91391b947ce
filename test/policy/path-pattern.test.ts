import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  compilePathPattern,
  coversPattern,
  parsePathPattern,
} from '../../proxy/policy/path-pattern.ts'

function matches(pattern: string, path: string): boolean {
  return compilePathPattern(parsePathPattern(pattern))(path)
}

function covers(wide: string, narrow: string): boolean {
  return coversPattern(parsePathPattern(wide), parsePathPattern(narrow))
}

const MATCHING: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['/', ['/'], ['/a', '/a/']],
  ['/a', ['/a', '/a/'], ['/', '/ab', '/a/b', '/b']],
  ['/a/', ['/a', '/a/'], ['/a/b']],
  ['/A/B', ['/a/b'], ['/a', '/a/b/c']],
  ['/**', ['/', '/a', '/a/b/c', '/a/'], []],
  ['/a/**', ['/a', '/a/', '/a/b', '/a/b/c'], ['/', '/ab', '/b/a']],
  ['/*', ['/a', '/a/'], ['/', '/a/b']],
  ['/a/*', ['/a/b', '/a/b/'], ['/a', '/a/', '/a/b/c']],
  ['/a/*.css', ['/a/x.css', '/a/.css'], ['/a/x.css/y', '/a/x.csss', '/x.css']],
  ['/a*', ['/a', '/ab', '/a/'], ['/b', '/ab/c']],
  ['/**/b', ['/b', '/a/b', '/a/b/b'], ['/', '/a', '/b/a']],
  ['/a/**/b', ['/a/b', '/a/x/b', '/a/x/y/b', '/a/b/b'], ['/a', '/a/b/x', '/b', '/ab']],
  ['/**/a/**/b/**', ['/a/b', '/x/a/y/b/z', '/a/b/'], ['/b/a', '/a', '/x']],
  ['/*/*', ['/a/b'], ['/a', '/a/b/c']],
  ['/x/*y*z', ['/x/yz', '/x/ayybz', '/x/yzz/'], ['/x/zy', '/x/y', '/x/yza']],
  ['/a b', ['/a b'], ['/a%20b']],
  ['/a.b', ['/a.b'], ['/axb']],
]

describe('patterns and paths', () => {
  for (const [pattern, fitting, others] of MATCHING) {
    test(`${pattern} matches ${fitting.join(' ')} and not ${others.join(' ')}`, () => {
      for (const path of fitting) assert.equal(matches(pattern, path), true, path)
      for (const path of others) assert.equal(matches(pattern, path), false, path)
    })
  }

  test('a segment with parameters fits with and without them', () => {
    assert.ok(matches('/a/b', '/a;x=1/b;y'))
    assert.ok(matches('/a/**', '/a;x/b'))
    assert.ok(matches('/a/b/*', '/a;x/b/c'))
    assert.ok(matches('/a/*.php', '/a/x;y.php'))
    assert.ok(matches('/a/*.php', '/a/x.php;y'))
    assert.ok(matches('/a', '/a/;x'))
    assert.ok(matches('/', '/;x'))
    assert.equal(matches('/a', '/ab;x'), false)
    assert.equal(matches('/a/b', '/a/c;b'), false)
  })

  test('a long path costs no more than its length allows', () => {
    const deep = `/${'a/'.repeat(8000)}c`
    assert.equal(matches('/**/a/**/b/**', deep), false)
    assert.equal(matches('/**/a/**/a/**/a/**/a/**/b', deep), false)
    assert.ok(matches('/**/a/**/a/**/c', deep))
    assert.equal(matches('/*a*a*a*a*a*a*b', `/${'a'.repeat(16_000)}`), false)
  })
})

describe('one pattern covers another', () => {
  test('only if it matches all that the other matches', () => {
    const yes = [
      ['/**', '/'],
      ['/**', '/a/*/**/b'],
      ['/a', '/A/'],
      ['/a/**', '/a'],
      ['/a/**', '/a/**'],
      ['/a/**', '/a/b/**'],
      ['/*', '/a'],
      ['/*', '/a*b'],
      ['/a*', '/ab*'],
      ['/**/b', '/a/**/b'],
      ['/a/**/b', '/a/b'],
      ['/*/**', '/a/**'],
    ] as const
    for (const [wide, narrow] of yes) assert.ok(covers(wide, narrow), `${wide} ${narrow}`)
    const no = [
      ['/', '/**'],
      ['/*', '/**'],
      ['/a', '/a/**'],
      ['/a/*', '/a/**'],
      ['/a/*', '/a'],
      ['/a/b', '/a/*'],
      ['/a/b/**', '/a/**'],
      ['/ab*', '/a*'],
      ['/a*b', '/a*'],
      ['/*/**', '/**'],
      ['/**/b', '/**'],
      ['/**/b', '/b/**'],
    ] as const
    for (const [wide, narrow] of no) assert.equal(covers(wide, narrow), false, `${wide} ${narrow}`)
  })

  test('and then no path proves otherwise', () => {
    const segment = fc.constantFrom('a', 'b', 'ab', '*', 'a*', '*b', '**')
    const pattern = fc.array(segment, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`)
    const word = fc.constantFrom('a', 'b', 'ab', 'aab', 'c')
    const path = fc.array(word, { maxLength: 5 }).map((parts) => `/${parts.join('/')}`)
    fc.assert(
      fc.property(pattern, pattern, fc.array(path, { minLength: 8 }), (wide, narrow, paths) => {
        fc.pre(covers(wide, narrow))
        for (const one of paths) if (matches(narrow, one)) assert.ok(matches(wide, one), one)
      }),
      { numRuns: 500, maxSkipsPerRun: 1000 },
    )
  })
})
