import assert from 'node:assert/strict'
import { test } from 'node:test'
import { replaceAfter } from '../../proxy/workers/replacement-delay.ts'
import { workerCount } from '../../proxy/workers/worker-count.ts'

test('a worker that dies is replaced at once, and one that served for long always is', () => {
  assert.deepEqual(replaceAfter(500, 0), { shortLives: 1, delay: 0 })
  assert.deepEqual(replaceAfter(10_000, 7), { shortLives: 0, delay: 0 })
})

test('those that die at once, one after another, are replaced after ever longer waits', () => {
  const delays: number[] = []
  for (let shortLives = 0; delays.length < 9; ) {
    const next = replaceAfter(delays.length % 2 === 0 ? 0 : 9_999, shortLives)
    shortLives = next.shortLives
    delays.push(next.delay)
  }
  assert.deepEqual(delays, [0, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
})

test('there are as many workers as were asked for, and auto is one a core', () => {
  assert.equal(workerCount(3, 8), 3)
  assert.equal(workerCount('auto', 8), 8)
})
