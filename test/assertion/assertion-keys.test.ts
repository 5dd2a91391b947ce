import assert from 'node:assert/strict'
import { test } from 'node:test'
import { calculateJwkThumbprint } from 'jose'
import { createAssertionKeys, KEY_PERIOD } from '../../proxy/assertion/assertion-keys.ts'
import { NOW } from '../session/session-sample.ts'

const [OLD, NEW] = ['the old secret of the tests, 32 long', 'the new secret of the tests, 32 long']
const DAY = 24 * 60 * 60_000

const kidsOf = (keys: ReturnType<typeof createAssertionKeys>, now: number) =>
  keys.published(now).map(({ kid }) => kid)

test('a key is published for a week before it signs first and after it signed last', () => {
  const keys = createAssertionKeys([OLD])
  assert.equal(KEY_PERIOD, 7 * DAY)
  const seen = new Set<string>()
  const turn = Math.ceil(NOW / KEY_PERIOD) * KEY_PERIOD
  for (const now of [NOW, turn - 1, turn, turn + 3 * DAY, turn + 7 * DAY - 1, turn + 7 * DAY]) {
    const { kid } = keys.signing(now)
    seen.add(kid)
    for (const week of [-7 * DAY, 0, 7 * DAY]) {
      assert.ok(kidsOf(keys, now + week).includes(kid), `${now - turn} ${week}`)
    }
  }
  assert.equal(seen.size, 3)
  assert.equal(kidsOf(keys, NOW)[0], keys.signing(NOW).kid)
})

test('a new secret signs when the old one is gone, and is known before', () => {
  const [before, between, after] = [
    createAssertionKeys([OLD]),
    createAssertionKeys([NEW, OLD]),
    createAssertionKeys([NEW]),
  ]
  assert.equal(between.signing(NOW).kid, before.signing(NOW).kid)
  assert.notEqual(after.signing(NOW).kid, before.signing(NOW).kid)
  const known = kidsOf(between, NOW)
  assert.equal(known.length, 6)
  for (const keys of [before, between, after]) assert.ok(known.includes(keys.signing(NOW).kid))
})

test('all processes with one secret have the same keys, under their thumbprints', async () => {
  const [one, other] = [createAssertionKeys([OLD]), createAssertionKeys([OLD])]
  assert.deepEqual(one.published(NOW), other.published(NOW))
  for (const key of one.published(NOW)) {
    assert.equal(key.kid, await calculateJwkThumbprint(key))
    assert.deepEqual(Object.keys(key).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
  }
})

test('a process that runs for years does not gather keys, and makes the right ones', () => {
  const keys = createAssertionKeys([OLD])
  const first = keys.signing(NOW).kid
  for (let week = 0; week < 60; week++) keys.published(NOW + week * KEY_PERIOD)
  assert.equal(keys.signing(NOW).kid, first)
})
