import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { satisfies } from '../../proxy/policy/satisfies.ts'
import {
  expiresAt,
  isLive,
  keepCode,
  needsTouch,
  type SessionIdentity,
  startSession,
  stepUp,
  touch,
} from '../../proxy/session/transitions.ts'
import { HOUR, MINUTE, NOW, sampleSession } from './session-sample.ts'

const LIMITS = { idle: HOUR, lifetime: 12 * HOUR }

const ALICE: SessionIdentity = {
  subject: 'subject-1',
  username: 'alice',
  groups: ['hr'],
  acr: 'basic',
  amr: ['pwd'],
  authTime: NOW - MINUTE,
}

describe('a session that starts', () => {
  it('holds the identity, begins now and has proved no code', () => {
    assert.deepEqual(startSession(ALICE, { id: 'i', family: 'f', now: NOW }), {
      ...ALICE,
      id: 'i',
      family: 'f',
      createdAt: NOW,
      seenAt: NOW,
    })
  })

  it('counts a second factor of the provider from the time of that sign-in', () => {
    const trusted: SessionIdentity = { ...ALICE, acr: 'twilio_sms', amr: ['mfa'] }
    const told = { ...trusted, authTimeGiven: true } as const
    const session = startSession(told, { id: 'i', family: 'f', now: NOW })
    assert.equal(session.otpTime, NOW - MINUTE)
    assert.equal(session.acr, 'twilio_sms')
    assert.equal(satisfies(session, { maxAge: MINUTE }, NOW), true)

    // It may have been any time ago: a provider that is asked again says the same without asking.
    const untold = startSession({ ...trusted, authTime: NOW }, { id: 'i', family: 'f', now: NOW })
    assert.equal(satisfies(untold, {}, NOW), true)
    assert.equal(satisfies(untold, { maxAge: 12 * HOUR }, NOW), false)
  })
})

describe('a sign-in while a session of the same person is alive', () => {
  const first = startSession(ALICE, { id: 'old', family: 'f', now: NOW })
  const proved = stepUp(first, { id: 'new', method: 'tel', now: NOW + MINUTE })
  const later = { id: 'newest', family: 'f', now: NOW + HOUR }

  it('keeps the code, for as long as it would have counted', () => {
    const again = startSession({ ...ALICE, amr: ['hwk'], authTime: NOW + HOUR }, later)
    assert.deepEqual(keepCode(again, proved), {
      ...again,
      acr: 'twilio_sms',
      amr: ['hwk', 'tel', 'otp', 'mfa'],
      otpTime: NOW + MINUTE,
      createdAt: NOW,
    })
  })

  it('takes over what the code proved, and nothing of how the earlier sign-in went', () => {
    const again = startSession({ ...ALICE, amr: ['hwk'] }, later)
    const kept = (amr: readonly string[]) => keepCode(again, { ...proved, amr }).amr
    assert.deepEqual(kept(['pwd', 'face', 'sms', 'otp', 'mfa']), ['hwk', 'sms', 'otp', 'mfa'])
    assert.deepEqual(kept(['pwd', 'mfa']), ['hwk'])
  })

  it('takes nothing over where there was no code, or the provider has asked for one itself', () => {
    const again = startSession(ALICE, later)
    assert.equal(keepCode(again, first), again)
    const mfa = { ...ALICE, acr: 'twilio_sms', amr: ['mfa'], authTime: NOW + HOUR } as const
    const trusted = startSession({ ...mfa, authTimeGiven: true }, later)
    assert.equal(keepCode(trusted, proved), trusted)
    // Of one whose time is not known the code is the better proof.
    assert.equal(keepCode(startSession(mfa, later), proved).otpTime, NOW + MINUTE)
  })
})

describe('a step-up', () => {
  const before = startSession(ALICE, { id: 'old', family: 'f', now: NOW })

  it('changes the id and what was proved, and nothing else', () => {
    const proved = { id: 'new', method: 'sms', now: NOW + MINUTE } as const
    assert.deepEqual(stepUp(before, proved), {
      ...before,
      id: 'new',
      acr: 'twilio_sms',
      amr: ['pwd', 'sms', 'otp', 'mfa'],
      otpTime: NOW + MINUTE,
      seenAt: NOW + MINUTE,
    })
    assert.equal(before.acr, 'basic')
    assert.deepEqual(before.amr, ['pwd'])
  })

  it('by voice says tel, and a method twice is named once', () => {
    const once = stepUp(before, { id: 'b', method: 'tel', now: NOW })
    assert.deepEqual(once.amr, ['pwd', 'tel', 'otp', 'mfa'])
    const twice = stepUp(once, { id: 'c', method: 'tel', now: NOW + HOUR })
    assert.deepEqual(twice.amr, once.amr)
    assert.equal(twice.otpTime, NOW + HOUR)
  })

  it('does not prolong the absolute life', () => {
    const proved = stepUp(before, { id: 'b', method: 'sms', now: NOW + 11.5 * HOUR })
    assert.equal(expiresAt(proved, LIMITS), NOW + 12 * HOUR)
  })
})

describe('limits', () => {
  const session = sampleSession({ createdAt: NOW, seenAt: NOW })

  it('end a session that is idle', () => {
    assert.equal(isLive(session, LIMITS, NOW + HOUR - 1), true)
    assert.equal(isLive(session, LIMITS, NOW + HOUR), false)
    assert.equal(expiresAt(session, LIMITS), NOW + HOUR)
  })

  it('end a session that is never idle', () => {
    const busy = touch(session, NOW + 12 * HOUR - 1)
    assert.equal(isLive(busy, LIMITS, NOW + 12 * HOUR - 1), true)
    assert.equal(isLive(busy, LIMITS, NOW + 12 * HOUR), false)
    assert.equal(expiresAt(busy, LIMITS), NOW + 12 * HOUR)
  })

  it('leave a minute for clocks that differ, and no more', () => {
    const early = { createdAt: NOW + MINUTE, seenAt: NOW + MINUTE }
    assert.equal(isLive(sampleSession(early), LIMITS, NOW), true)
    assert.equal(isLive(sampleSession({ ...early, seenAt: NOW + MINUTE + 1 }), LIMITS, NOW), false)
    assert.equal(isLive(sampleSession({ createdAt: NOW + MINUTE + 1 }), LIMITS, NOW), false)
  })
})

describe('a touch', () => {
  it('is due after a tenth of the idle limit', () => {
    const session = sampleSession({ seenAt: NOW })
    assert.equal(needsTouch(session, HOUR, NOW + 6 * MINUTE - 1), false)
    assert.equal(needsTouch(session, HOUR, NOW + 6 * MINUTE), true)
  })

  it('moves the time last seen forward only, and changes nothing else', () => {
    const session = sampleSession({ seenAt: NOW })
    assert.deepEqual(touch(session, NOW + 5), { ...session, seenAt: NOW + 5 })
    assert.deepEqual(touch(session, NOW - 5), session)
  })
})
