import assert from 'node:assert/strict'
import { test } from 'node:test'
import { calculateJwkThumbprint } from 'jose'
import { createAssertionKeys, KEY_PERIOD } from '../../proxy/assertion/assertion-keys.ts'
import { NOW } from '../session/session-sample.ts'

const OLD = 'the old secret of the tests, 32 long'
const NEW = 'the new secret of the tests, 32 long'
const NEXT = 'the next secret of the tests 32 long'
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

test('another secret takes over without a moment in which a replica does not know what another signs', () => {
  const steps: readonly (readonly [string, ...string[]])[] = [
    [OLD],
    [OLD, NEW],
    [NEW, OLD],
    [NEW, OLD, NEXT],
    [NEXT, NEW, OLD],
    [NEXT],
  ]
  // While a step is taken, one replica has taken it, and another has not.
  for (const [index, secrets] of steps.entries()) {
    for (const live of [secrets, ...steps.slice(index + 1, index + 2)]) {
      for (const weeks of [-1, 0, 1]) {
        const now = NOW + weeks * KEY_PERIOD
        const [one, other] = [createAssertionKeys(secrets), createAssertionKeys(live)]
        assert.ok(kidsOf(one, NOW).includes(other.signing(now).kid), `${index} ${weeks}`)
        assert.ok(kidsOf(other, NOW).includes(one.signing(now).kid), `${index} ${weeks}`)
      }
    }
  }
})

test('a secret that was put behind is known to applications before it signs, and after it did', () => {
  const [before, between, after] = [
    createAssertionKeys([OLD, NEW]),
    createAssertionKeys([NEW, OLD]),
    createAssertionKeys([NEW]),
  ]
  assert.equal(before.signing(NOW).kid, createAssertionKeys([OLD]).signing(NOW).kid)
  assert.equal(between.signing(NOW).kid, after.signing(NOW).kid)
  assert.deepEqual(new Set(kidsOf(before, NOW)), new Set(kidsOf(between, NOW)))
  assert.equal(kidsOf(between, NOW).length, 6)
  assert.equal(kidsOf(between, NOW)[0], between.signing(NOW).kid)
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
