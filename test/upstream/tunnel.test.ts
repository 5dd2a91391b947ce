import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { firstFrame } from '../../proxy/upstream/frames.ts'
import { tickTunnel } from '../../proxy/upstream/tunnel.ts'

/** A tunnel that is ending, and how many ticks it takes until both ends are cut. */
function ticksOf(waiting: { client: number; upstream: number }, ticksLeft = 60): number {
  let cut = 0
  const end = (writableLength: number) =>
    ({ writableLength, destroy: () => cut++ }) as unknown as Socket
  const tunnel = {
    client: end(waiting.client),
    upstream: end(waiting.upstream),
    frames: firstFrame(),
    ticksLeft,
    closing: false,
    onGone: () => {},
  }
  let ticks = 0
  while (cut < 2 && ticks < 100) {
    tickTunnel(tunnel)
    ticks++
  }
  return ticks
}

test('who is still to be handed something has half a minute, who only has to go a second', () => {
  assert.equal(ticksOf({ client: 1, upstream: 0 }), 60)
  assert.equal(ticksOf({ client: 0, upstream: 1 }), 60)
  assert.equal(ticksOf({ client: 0, upstream: 0 }), 2)
  assert.equal(ticksOf({ client: 1, upstream: 1 }, 2), 2)
})

test('a tunnel that is open is never cut by the clock', () => {
  assert.equal(ticksOf({ client: 0, upstream: 0 }, 0), 100)
})
