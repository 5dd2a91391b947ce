import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { matchesWildcards } from '../../proxy/policy/wildcard.ts'

const CHARACTERS = {
  isWild: (part: string) => part === '*',
  fits: (part: string, item: string) => part === item,
}

function matches(glob: string, text: string): boolean {
  return matchesWildcards(glob, text, CHARACTERS)
}

test('agrees with a regular expression on all short globs and texts', () => {
  const letters = fc.constantFrom('a', 'b', '*')
  const glob = fc.string({ unit: letters, maxLength: 8 })
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 })
  fc.assert(
    fc.property(glob, text, (pattern, input) => {
      const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(input)
      assert.equal(matches(pattern, input), expected)
    }),
    { numRuns: 2000 },
  )
})

test('compares at most parts × items times, even where backtracking would explode', () => {
  let comparisons = 0
  const counting = {
    ...CHARACTERS,
    fits: (part: string, item: string) => {
      comparisons += 1
      return part === item
    },
  }
  const glob = '*a*a*a*a*a*a*a*b'
  const text = 'a'.repeat(5000)
  assert.equal(matchesWildcards(glob, text, counting), false)
  assert.ok(comparisons <= glob.length * text.length, `${comparisons} comparisons`)
})
