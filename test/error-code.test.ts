import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorCode } from '../proxy/error-code.ts'

test("an error's code is its text, and nothing else is one", () => {
  assert.equal(errorCode(Object.assign(new Error('x'), { code: 'ECONNREFUSED' })), 'ECONNREFUSED')
  assert.equal(errorCode(Object.assign(new Error('x'), { code: 49 })), undefined)
  // The numbers that a DOMException has as its code are history.
  assert.equal(errorCode(new DOMException('x', 'TimeoutError')), undefined)
  for (const value of [new Error('x'), { code: 'X' }, 'X', undefined, null]) {
    assert.equal(errorCode(value), undefined)
  }
})
