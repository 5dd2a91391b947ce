import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foldCase } from '../../proxy/policy/fold-case.ts'

test('letters that some application takes for the same one become the same', () => {
  const examples = [
    ['/Admin', '/admin'],
    ['/ÄÖÜ', '/äöü'],
    ['/ADMİN', '/admin'],
    ['/adm\u0131n', '/admin'],
    ['/\u017fecret', '/secret'],
    ['/\u212aeys', '/keys'],
    ['/straße', '/straße'],
  ] as const
  for (const [text, folded] of examples) assert.equal(foldCase(text), folded)
})
