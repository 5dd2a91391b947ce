import assert from 'node:assert/strict'
import { test } from 'node:test'
import { satisfies } from '../../proxy/policy/satisfies.ts'
import type { Session } from '../../proxy/session/session.ts'
import { BASIC, NOW, withCode } from './sessions.ts'

test('a code proves twilio_sms, however old, unless an age is asked for', () => {
  assert.equal(satisfies(withCode(80_000_000), {}, NOW), true)
  assert.equal(satisfies(withCode(80_000_000), { maxAge: undefined }, NOW), true)
  assert.equal(satisfies(withCode(60_000), { maxAge: 60_000 }, NOW), true)
  assert.equal(satisfies(withCode(60_001), { maxAge: 60_000 }, NOW), false)
  assert.equal(satisfies(withCode(1), { maxAge: 0 }, NOW), false)
  assert.equal(satisfies(withCode(1), { maxAge: Number.NaN }, NOW), false)
})

test('the first factor alone proves nothing, even with the time of a code', () => {
  assert.equal(satisfies(BASIC, {}, NOW), false)
  assert.equal(satisfies({ ...BASIC, otpTime: NOW }, {}, NOW), false)
})

test('a code without a time, of no time or from the future proves nothing', () => {
  const { otpTime: _, ...without } = withCode(0)
  assert.equal(satisfies(without, {}, NOW), false)
  for (const otpTime of [Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]) {
    assert.equal(satisfies({ ...withCode(0), otpTime }, {}, NOW), false)
  }
  assert.equal(satisfies({ ...withCode(0), otpTime: '1' } as unknown as Session, {}, NOW), false)
  assert.equal(satisfies(withCode(-60_001), {}, NOW), false)
  assert.equal(satisfies(withCode(0), {}, Number.NaN), false)
})

test('clocks of two machines may differ by a minute', () => {
  assert.equal(satisfies(withCode(-60_000), { maxAge: 60_000 }, NOW), true)
})
