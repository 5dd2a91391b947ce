import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attemptWaits, FAILURE_WAITS, RESEND_WAITS, sendWindows } from '../../proxy/otp/limits.ts'
import { DAY, MINUTE, PHONE, SECOND } from './otp-parts.ts'

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

const keys = (subject: string, phone: string, address: string) =>
  sendWindows(subject, phone, address).map(({ key }) => key)

test('a send counts against the person, the number and the address, each by itself', () => {
  const [person, number, address, personDay, numberDay] = keys('s', PHONE, '192.0.2.1')
  assert.equal(new Set(keys('s', PHONE, '192.0.2.1')).size, 5)
  assert.deepEqual(keys('s', '+491', '192.0.2.2').slice(0, 1), [person])
  assert.equal(keys('s', '+491', '192.0.2.2')[3], personDay)
  assert.equal(keys('t', PHONE, '192.0.2.2')[1], number)
  assert.equal(keys('t', PHONE, '192.0.2.2')[4], numberDay)
  assert.equal(keys('t', '+491', '192.0.2.1')[2], address)
  assert.notEqual(keys('t', '+491', '192.0.2.2')[2], address)
})

test('addresses of one IPv6 customer are one, those of two are two', () => {
  const address = (text: string) => keys('s', PHONE, text)[2]
  assert.equal(address('2001:db8:1:2::1'), address('2001:db8:1:2:ffff:1:2:3'))
  assert.notEqual(address('2001:db8:1:2::1'), address('2001:db8:1:3::1'))
  assert.notEqual(address('unix'), address('192.0.2.1'))
})

test('no key tells a number, a subject or an address', () => {
  for (const key of keys('subject-1', PHONE, '192.0.2.1')) {
    assert.doesNotMatch(key, /subject-1|4915228817386|192\.0\.2/)
  }
})
