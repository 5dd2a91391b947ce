import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRules } from '../../proxy/policy/parse-rules.ts'
import { takesBearer } from '../../proxy/policy/takes-bearer.ts'

const { rules } = parseRules('basic POST /api/x\nbasic a.example/api/** bearer', 'a.example')

test('a token counts where every reading of the request has a rule that takes one', () => {
  const asked = { method: 'GET', hosts: ['a.example'], paths: ['/api/x'] } as const
  assert.equal(takesBearer(rules, asked), true)
  assert.equal(takesBearer(rules, { ...asked, paths: ['/api/x', '/api/y/z'] }), true)
  assert.equal(takesBearer(rules, { ...asked, paths: ['/api/x', '/x'] }), false)
  assert.equal(takesBearer(rules, { ...asked, hosts: ['a.example', 'b.example'] }), false)
  assert.equal(takesBearer(rules, { ...asked, method: 'post' }), false)
  assert.equal(takesBearer([], asked), false)
})
