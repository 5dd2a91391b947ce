import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Challenge, Delivery } from '../../proxy/otp/challenge.ts'
import { challengeState } from '../../proxy/otp/challenge-state.ts'
import { NOW } from '../session/session-sample.ts'
import { PHONE, SECOND, TTL } from './otp-parts.ts'

const SEND = { channel: 'sms', address: '192.0.2.7' } as const
const SENT: Delivery = { kind: 'sent', id: 'SM1', at: NOW, channel: 'sms' }

function challenge(changes: Partial<Challenge> = {}): Challenge {
  return {
    channel: 'sms',
    id: 'challenge-1',
    subject: 'subject-1',
    family: 'family-id',
    purpose: 'step-up',
    phone: PHONE,
    unknown: false,
    choices: 1,
    code: '123456',
    createdAt: NOW,
    expiresAt: NOW + TTL,
    sends: [SEND],
    strike: 1,
    delivery: SENT,
    arrived: true,
    ...changes,
  }
}

test('a code that was sent may be entered until the millisecond before it expires', () => {
  const sent = { challenge: challenge(), newest: true }
  assert.deepEqual(challengeState(sent, false, NOW), { canEnter: true, notice: { kind: 'sent' } })
  assert.equal(challengeState(sent, false, NOW + TTL - 1).canEnter, true)
  assert.deepEqual(challengeState(sent, false, NOW + TTL), {
    canEnter: false,
    notice: { kind: 'expired' },
  })
})

test('the page speaks of a message as news for ten seconds, and says when it was the same code', () => {
  const kindAt = (after: number, changes: Partial<Challenge> = {}) =>
    challengeState({ challenge: challenge(changes), newest: true }, false, NOW + after).notice.kind
  assert.equal(kindAt(10 * SECOND), 'sent')
  assert.equal(kindAt(10 * SECOND + 1), 'already-sent')
  const again = { delivery: { ...SENT, at: NOW + 40 * SECOND } }
  assert.equal(kindAt(41 * SECOND, { ...again, sends: [SEND, SEND] }), 'resent')
  // The one before did not go out.
  assert.equal(kindAt(41 * SECOND, again), 'sent')
})

test('a send that Twilio has not answered is said to be one, whatever it goes by and for how long', () => {
  for (const channel of ['sms', 'call'] as const) {
    const delivery: Delivery = { kind: 'sending', at: NOW, channel }
    const sending = challenge({ channel, delivery, sends: [], arrived: false })
    for (const after of [0, 29 * SECOND]) {
      const state = challengeState({ challenge: sending, newest: true }, false, NOW + after)
      assert.deepEqual(state, { canEnter: true, notice: { kind: 'sending', channel } })
    }
  }
})

test('a code that went to nobody has not expired: the page goes on to say why it did not go', () => {
  const refused: Delivery = { kind: 'refused', reason: 'blocked', at: NOW, channel: 'sms' }
  const paused: Delivery = { ...refused, kind: 'paused', reason: 'unavailable', until: NOW + 1 }
  const stateAt = (after: number, delivery: Delivery, arrived: boolean) => {
    const unsent = challenge({ delivery, arrived, sends: [] })
    return challengeState({ challenge: unsent, newest: true }, false, NOW + after)
  }
  assert.deepEqual(stateAt(TTL, refused, false), {
    canEnter: false,
    notice: { kind: 'send-failed', reason: 'blocked', channel: 'sms' },
  })
  assert.deepEqual(stateAt(TTL, paused, false), {
    canEnter: false,
    notice: { kind: 'send-paused', seconds: 0, channel: 'sms' },
  })
  assert.equal(stateAt(TTL, refused, true).notice.kind, 'expired')
  const unclear: Delivery = { kind: 'failed', reason: 'unavailable', at: NOW, channel: 'sms' }
  assert.equal(stateAt(TTL, unclear, false).notice.kind, 'expired')
})

test('of a call the page speaks as of a call, first and repeated', () => {
  const noticeAt = (after: number) => {
    const called = challenge({ channel: 'call', delivery: { ...SENT, channel: 'call' } })
    return challengeState({ challenge: called, newest: true }, false, NOW + after).notice.kind
  }
  assert.deepEqual([noticeAt(0), noticeAt(10 * SECOND)], ['calling', 'calling'])
  assert.equal(noticeAt(10 * SECOND + 1), 'already-called')
})

test('an older code is superseded, a used-up one is used up: neither may be entered', () => {
  const superseded = challengeState({ challenge: challenge(), newest: false }, true, NOW + TTL)
  assert.deepEqual(superseded, { canEnter: false, notice: { kind: 'superseded' } })
  const usedUp = challengeState({ challenge: challenge(), newest: true }, true, NOW)
  assert.deepEqual(usedUp, { canEnter: false, notice: { kind: 'used-up' } })
})

test('a failed send says why; the code may be entered if a message may have arrived', () => {
  const state = (delivery: Delivery, arrived: boolean) =>
    challengeState({ challenge: challenge({ delivery, arrived }), newest: true }, false, NOW)
  const refused: Delivery = { kind: 'refused', reason: 'opted_out', at: NOW, channel: 'sms' }
  assert.deepEqual(state(refused, false), {
    canEnter: false,
    notice: { kind: 'send-failed', reason: 'opted_out', channel: 'sms' },
  })
  assert.equal(state(refused, true).canEnter, true)
  assert.equal(
    state({ kind: 'failed', reason: 'unavailable', at: NOW, channel: 'sms' }, false).canEnter,
    true,
  )
})

test('a send that was held back cannot be entered, and says when the next is tried', () => {
  const paused: Delivery = {
    kind: 'paused',
    reason: 'unavailable',
    until: NOW + 14_001,
    at: NOW,
    channel: 'sms',
  }
  const state = (after: number, arrived = false) =>
    challengeState(
      { challenge: challenge({ delivery: paused, arrived }), newest: true },
      false,
      NOW + after,
    )
  assert.deepEqual(state(0), {
    canEnter: false,
    notice: { kind: 'send-paused', seconds: 15, channel: 'sms' },
  })
  assert.deepEqual(state(20_000).notice, { kind: 'send-paused', seconds: 0, channel: 'sms' })
  assert.equal(state(0, true).canEnter, true)
  const call = challenge({ delivery: { ...paused, channel: 'call' } })
  assert.deepEqual(challengeState({ challenge: call, newest: true }, false, NOW).notice, {
    kind: 'send-paused',
    seconds: 15,
    channel: 'call',
  })
})
