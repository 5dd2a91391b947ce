import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createChance } from '../../bench/pumping/chance.ts'
import { createEventQueue } from '../../bench/pumping/event-queue.ts'
import { type Scenario, simulate } from '../../bench/pumping/simulate.ts'
import { LIMITS } from '../otp/otp-parts.ts'

const DAY = 86_400_000

/** A hundredth of the day that is measured: 10 attackers on 5 prefixes. */
const small: Scenario = {
  people: 1000,
  seed: 1,
  limits: { ...LIMITS, unknown: [{ limit: 2, windowMs: DAY }] },
  known: 0.99,
  pumped: 'own-prefixes',
  from: 'anywhere',
  attackersRead: false,
}

test('a day of pumping gets two messages for each prefix, and honest people go on', async () => {
  const { toAttackers, toHonest, refused, suspectedAt } = await simulate(small)
  assert.equal(toAttackers, 10)
  assert.ok(toHonest > 2400)
  assert.equal(refused, 0)
  assert.equal(suspectedAt, undefined, 'ten codes say nothing')
})

test('one account whose codes are typed in lifts nothing for the others at its address', async () => {
  const { toAttackers } = await simulate({ ...small, from: 'a-place-of-one' })
  assert.equal(toAttackers, 10)
})

test('without the limits of prefixes each attacker gets what a person gets', async () => {
  const free = [{ limit: 1_000_000, windowMs: DAY }]
  const { toAttackers, suspectedAt } = await simulate({
    ...small,
    limits: { ...LIMITS, prefix: free, unknown: free },
  })
  assert.equal(toAttackers, 10 * 100)
  assert.ok(suspectedAt !== undefined && suspectedAt < DAY / 24)
})

test('who is refused though honest is counted', async () => {
  const limits = { ...LIMITS, person: [{ limit: 1, windowMs: DAY }] }
  const { refused, refusedBy, turnedAway, signIns } = await simulate({ ...small, limits })
  assert.ok(refused > signIns / 4 && turnedAway > 0)
  assert.deepEqual([...refusedBy.keys()], ['person'])
})

test('events run in the order of their time, and of one moment as they came', async () => {
  const queue = createEventQueue()
  const chance = createChance(7)
  const ran: number[] = []
  const note = async (now: number) => {
    ran.push(now)
  }
  for (let n = 0; n < 200; n++) queue.add(chance.below(50), note)
  queue.add(10, async (now) => queue.add(now + 5.5, note))
  queue.add(60, note)
  await queue.runUntil(60)
  assert.equal(ran.length, 201)
  assert.deepEqual(
    ran,
    ran.toSorted((a, b) => a - b),
  )
  assert.ok(ran.includes(15.5))
})

test('the same seed gives the same day', () => {
  const draw = (seed: number) => Array.from({ length: 5 }, createChance(seed).unit)
  assert.deepEqual(draw(3), draw(3))
  assert.notDeepEqual(draw(3), draw(4))
})
