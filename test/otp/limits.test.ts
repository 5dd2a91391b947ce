import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attemptWaits, FAILURE_WAITS, RESEND_WAITS } from '../../proxy/otp/limits.ts'
import { DAY, MINUTE, SECOND } from './otp-parts.ts'

test('messages to one number wait 30, 60, then 120 seconds', () => {
  assert.deepEqual(RESEND_WAITS, [30 * SECOND, 60 * SECOND, 120 * SECOND])
})

test('failures in a row cost nothing nine times, then 30 s doubling to an hour, and a day at 50', () => {
  const afterNth = (failures: number) => FAILURE_WAITS[failures - 1]
  assert.deepEqual(FAILURE_WAITS.slice(0, 9), Array(9).fill(0))
  assert.equal(afterNth(10), 30 * SECOND)
  assert.equal(afterNth(11), 60 * SECOND)
  assert.equal(afterNth(16), 32 * MINUTE)
  assert.deepEqual(FAILURE_WAITS.slice(16, 49), Array(33).fill(60 * MINUTE))
  assert.equal(afterNth(50), DAY)
  assert.equal(FAILURE_WAITS.length, 50)
})

test('a code has no wait between its tries and no end to the wait after the last', () => {
  assert.deepEqual(attemptWaits(3), [0, 0, Number.POSITIVE_INFINITY])
  assert.deepEqual(attemptWaits(1), [Number.POSITIVE_INFINITY])
})
