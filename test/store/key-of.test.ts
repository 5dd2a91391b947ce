import assert from 'node:assert/strict'
import { it } from 'node:test'
import { keyOf } from '../../proxy/store/key-of.ts'

it('a key shows its purpose and nothing of its parts', () => {
  const key = keyOf('sends-number', '+15551234567')
  assert.match(key, /^sends-number:[A-Za-z0-9_-]{43}$/)
  assert.doesNotMatch(key, /555/)
})

it('a key is the same in every process and version', () => {
  assert.equal(keyOf('failures', 'alice'), 'failures:8ipajc-Wgbf3aF0JKOap6UawmtePWlBuwp0Dgcyqxr8')
})

it('different parts never meet in one key', () => {
  const parts: string[][] = [
    [],
    [''],
    ['', ''],
    ['ab'],
    ['a', 'b'],
    ['a,b'],
    ['a","b'],
    ['a:b'],
    ['a\0b'],
    ['a', '', 'b'],
    ['\ud800'],
    ['\udfff'],
    ['\ufffd'],
    ['é'],
    ['e\u0301'],
  ]
  const keys = parts.map((list) => keyOf('p', ...list))
  assert.equal(new Set(keys).size, parts.length)
  assert.notEqual(keyOf('p', 'a').split(':')[1], keyOf('q', 'a').split(':')[1])
})
