import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { indexRules } from '../../proxy/policy/index-rules.ts'
import {
  compilePathPattern,
  firstSegmentOf,
  parsePathPattern,
} from '../../proxy/policy/path-pattern.ts'
import type { Rule } from '../../proxy/policy/rule.ts'

function ruleOf(pattern: string): Rule {
  const parsed = parsePathPattern(pattern)
  const firstSegment = firstSegmentOf(parsed)
  return {
    source: pattern,
    requires: 'basic',
    matchesPath: compilePathPattern(parsed),
    ...(firstSegment !== undefined && { firstSegment }),
  }
}

const patterns = fc.array(fc.constantFrom('a', 'b', 'ab', 'a*', '*', '**', '*b'), { maxLength: 3 })
const paths = fc.array(fc.constantFrom('a', 'b', 'ab', 'a;x', ';x', 'a;', 'ab;a', 'c'), {
  maxLength: 3,
})

test('what is found is the first rule in the list that fits, whatever the path looks like', () => {
  const lists = fc.array(
    patterns.map((segments) => `/${segments.join('/')}`),
    { maxLength: 12 },
  )
  const ends = fc.constantFrom('', '/')
  fc.assert(
    fc.property(lists, paths, ends, fc.nat(3), (list, segments, end, passedOver) => {
      const rules = list.map(ruleOf)
      const path = `/${segments.join('/')}${segments.length > 0 ? end : ''}`
      const fits = (rule: Rule) => rule.matchesPath(path) && rules.indexOf(rule) % 4 !== passedOver
      assert.equal(indexRules(rules).find(path, fits), rules.find(fits))
    }),
    { numRuns: 2000 },
  )
})

test('rules for other first segments are not looked at', () => {
  const rules = ['/a/**', '/b/**', '/*/c', '/a/b'].map(ruleOf)
  const asked: string[] = []
  indexRules(rules).find('/a/x', ({ source }) => {
    asked.push(source)
    return false
  })
  assert.deepEqual(asked.sort(), ['/*/c', '/a/**', '/a/b'])
})

test('a rule that does not say what its paths begin with is held against each', () => {
  const rule: Rule = { source: '', requires: 'deny', matchesPath: () => true }
  assert.equal(
    indexRules([rule]).find('/a', () => true),
    rule,
  )
})
