import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LimitName, sendWindows, underPressure } from '../../proxy/otp/send-limits.ts'
import type { Channel } from '../../proxy/sms/sender.ts'
import { CALL_LIMITS, LIMITS, PHONE, windowsOf } from './otp-parts.ts'

const FROM = {
  channel: 'sms' as Channel,
  subject: 's',
  phone: PHONE,
  address: '192.0.2.1',
  unknown: true,
}
const OTHER = '+491701234567'
const keys = (name: LimitName, changes: Partial<typeof FROM> = {}) =>
  windowsOf(name, { ...FROM, ...changes }).map(({ key }) => key)

test('each window of each limit is counted by itself', () => {
  const windows = sendWindows(LIMITS, FROM)
  assert.deepEqual(
    windows.map(({ name }) => name),
    ['person', 'person', 'number', 'number', 'address', 'prefix', 'budget', 'unknown'],
  )
  assert.equal(new Set(windows.map(({ key }) => key)).size, windows.length)
})

test('calls are counted apart from messages, each against limits of its own', () => {
  const texts = sendWindows(LIMITS, FROM)
  const calls = sendWindows(CALL_LIMITS, { ...FROM, channel: 'call' })
  assert.deepEqual(
    calls.map(({ name }) => name),
    texts.map(({ name }) => name),
  )
  assert.equal(new Set([...texts, ...calls].map(({ key }) => key)).size, 2 * texts.length)
  assert.ok(calls.every(({ limit }, index) => limit < (texts[index]?.limit ?? 0)))
})

test('a send counts against the person, the number and the address, whatever the others are', () => {
  assert.deepEqual(keys('person', { phone: OTHER, address: '192.0.2.2' }), keys('person'))
  assert.notDeepEqual(keys('person', { subject: 't' }), keys('person'))
  assert.deepEqual(keys('number', { subject: 't', address: '192.0.2.2' }), keys('number'))
  assert.notDeepEqual(keys('number', { phone: OTHER }), keys('number'))
  assert.deepEqual(keys('address', { subject: 't', phone: OTHER }), keys('address'))
  assert.notDeepEqual(keys('address', { address: '192.0.2.2' }), keys('address'))
})

test('addresses of one IPv6 customer are one, those of two are two', () => {
  const address = (text: string) => keys('address', { address: text })[0]
  assert.equal(address('2001:db8:1:2::1'), address('2001:db8:1:2:ffff:1:2:3'))
  assert.notEqual(address('2001:db8:1:2::1'), address('2001:db8:1:3::1'))
  assert.notEqual(address('unix'), address('192.0.2.1'))
})

test('numbers that differ in their last four digits only are of one prefix', () => {
  const prefix = (phone: string) => keys('prefix', { phone })[0]
  assert.equal(prefix('+4915228817386'), prefix('+4915228810000'))
  assert.notEqual(prefix('+4915228817386'), prefix('+4915228827386'))
  assert.notEqual(prefix('+4915228817386'), prefix('+415228817386'))
})

test('all unknown numbers count together, and a known one in no prefix', () => {
  assert.deepEqual(keys('unknown', { subject: 't', phone: OTHER }), keys('unknown'))
  assert.deepEqual(keys('budget', { subject: 't', phone: OTHER }), keys('budget'))
  const known = sendWindows(LIMITS, { ...FROM, unknown: false }).map(({ name }) => name)
  assert.deepEqual(known, ['person', 'person', 'number', 'number', 'address', 'budget'])
})

test('a prefix may have one more for each number of it that became known', () => {
  const limits = (knownInPrefix: number) => {
    const trust = { knownInPrefix, peopleAtAddress: 0 }
    const windows = sendWindows(LIMITS, FROM, trust)
    const limitOf = (all: typeof windows) => all.find(({ name }) => name === 'prefix')?.limit
    return [limitOf(windows), limitOf(underPressure(windows, trust))]
  }
  assert.deepEqual(limits(0), [10, 2])
  assert.deepEqual(limits(5), [15, 7])
})

test('under pressure no other limit moves, and one that is lower stays', () => {
  const trust = { knownInPrefix: 0, peopleAtAddress: 0 }
  const strict = { ...LIMITS, prefix: [{ limit: 1, windowMs: 60_000 }] }
  const [before, after] = [
    sendWindows(strict, FROM),
    underPressure(sendWindows(strict, FROM), trust),
  ]
  assert.deepEqual(
    after.map(({ name, limit }) => [name, limit]),
    before.map(({ name, limit }) => [name, name === 'unknown' ? Infinity : limit]),
  )
})

test('from the third code that was used an address is not held to what all unknown numbers get', () => {
  const limit = (peopleAtAddress: number) =>
    sendWindows(LIMITS, FROM, { knownInPrefix: 0, peopleAtAddress }).at(-1)?.limit
  assert.deepEqual([0, 1, 2, 3].map(limit), [200, 200, 200, Infinity])
})

test('no key tells a number, a subject or an address', () => {
  for (const { key } of sendWindows(LIMITS, { ...FROM, subject: 'subject-1' })) {
    assert.doesNotMatch(key, /subject-1|49152288|192\.0\.2/)
  }
})
