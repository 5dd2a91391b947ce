import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readChallenge } from '../../proxy/otp/challenge-record.ts'
import { issueChallenge } from '../../proxy/otp/issue-challenge.ts'
import { sendCode } from '../../proxy/otp/send-code.ts'
import { type LimitName, sendWindows } from '../../proxy/otp/send-limits.ts'
import { codeWindows } from '../../proxy/otp/verified-share.ts'
import { verifyCode } from '../../proxy/otp/verify-code.ts'
import type { SendOutcome } from '../../proxy/sms/sender.ts'
import type { Store } from '../../proxy/store/store.ts'
import { NOW } from '../session/session-sample.ts'
import {
  basicSession,
  CALL_LIMITS,
  codeSteps,
  DAY,
  LIMITS,
  overStores,
  PHONE,
  windowsOf,
} from './otp-parts.ts'

type Steps = ReturnType<typeof codeSteps>
const CALL = { subject: 'subject-1', phone: PHONE, address: '192.0.2.7', unknown: true }
const NAMES: readonly LimitName[] = ['person', 'number', 'address', 'prefix', 'budget', 'unknown']

/** Counts of each limit for `subject-1` and PHONE, shortest window first. */
async function counts(store: Store, now: number): Promise<Record<string, readonly number[]>> {
  const read = async (name: LimitName) => {
    const keys = windowsOf(name).map(({ key }) => key)
    return [name, [...(await store.counts(keys, now))]] as const
  }
  return Object.fromEntries(await Promise.all(NAMES.map(read)))
}

/** A number of a prefix of its own, or the nth of a prefix. */
const number = (prefix: number, n = 0) => `+4917${String(prefix * 10_000 + n).padStart(9, '0')}`

let people = 0
/** A code for somebody new, from the address of `steps` unless she comes from another. */
async function send(steps: Steps, phone: string, now = NOW, address = steps.parts.address) {
  people += 1
  const session = basicSession({ subject: `new-${people}`, family: `f-${people}` })
  const parts = { ...steps.parts, address }
  const issued = await issueChallenge(parts, session, { phone, choices: 1 }, undefined, now)
  const by = issued.kind === 'limited' ? issued.by : issued.kind
  return { by, session, code: steps.lastCode() }
}

overStores('what a message counts against', (open) => {
  test('is all of its limits, once', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    assert.deepEqual(await counts(steps.parts.store, NOW), {
      person: [1, 1],
      number: [1, 1],
      address: [1],
      prefix: [1],
      budget: [1],
      unknown: [1],
    })
  })

  test('of a call are those of calls alone, and the right code gives each its own back', async () => {
    const steps = codeSteps(open())
    const { store } = steps.parts
    const parts = { ...steps.parts, channel: 'call' as const }
    const callKeys = sendWindows(parts.limits.call, { ...CALL, channel: 'call' }).map(
      ({ key }) => key,
    )
    const called = () => store.counts(callKeys, NOW)
    await steps.issue(basicSession(), NOW)
    // Somebody else, beside whom one message of three sends can be told from three.
    await send(steps, number(9))
    const before = await counts(store, NOW)
    assert.deepEqual([...(await called())], Array(callKeys.length).fill(0))
    for (const [nth, wait] of [30_000, 90_000].entries()) {
      const present = await readChallenge(parts, basicSession(), NOW + wait)
      assert.ok(present)
      assert.equal((await sendCode(parts, present, NOW + wait)).kind, 'tried')
      assert.deepEqual([...(await called())], Array(callKeys.length).fill(nth + 1))
    }
    assert.deepEqual(await counts(store, NOW), before)
    await steps.verify(basicSession(), steps.codes()[0] ?? '', NOW + 100_000)
    // A day and the budget keep them; 15 minutes, address, prefix and unknown numbers don't.
    assert.deepEqual([...(await called())], [0, 2, 0, 2, 0, 0, 2, 0])
    const { person, address } = await counts(store, NOW)
    assert.deepEqual({ person, address }, { person: [0, 1], address: [1] })
  })

  test('of a call refuse the next one when they are full, and leave messages alone', async () => {
    const limits = { ...CALL_LIMITS, budget: 1 }
    const steps = codeSteps(open(), LIMITS, limits)
    const call = async (phone: string) => {
      const session = basicSession({ subject: phone, family: phone })
      const parts = { ...steps.parts, channel: 'call' as const }
      const issued = await issueChallenge(parts, session, { phone, choices: 1 }, undefined, NOW)
      return issued.kind === 'limited' ? issued.by : issued.kind
    }
    assert.equal(await call(number(1)), 'sent')
    assert.equal(await call(number(2)), 'budget')
    assert.equal(steps.calls.length, 1)
    assert.equal((await send(steps, number(3))).by, 'sent')
  })

  test('is given back by the right code, each repetition too; a day and the budget keep it', async () => {
    const steps = codeSteps(open())
    const { store } = steps.parts
    await steps.issue(basicSession(), NOW)
    const later = NOW + 60_000
    const present = await readChallenge(steps.parts, basicSession(), later)
    assert.ok(present)
    assert.equal((await sendCode(steps.parts, present, later)).kind, 'tried')
    assert.deepEqual((await counts(store, later)).address, [2])
    assert.equal((await steps.verify(basicSession(), '000000', later)).kind, 'wrong')
    assert.deepEqual((await counts(store, later)).address, [2])
    assert.equal((await steps.verify(basicSession(), steps.lastCode(), later)).kind, 'verified')
    assert.deepEqual(await counts(store, later), {
      person: [0, 2],
      number: [0, 2],
      address: [0],
      prefix: [0],
      budget: [2],
      unknown: [0],
    })
  })

  test('is given back where it was asked for, not where its code was typed in', async () => {
    const steps = codeSteps(open())
    const { store } = steps.parts
    const places = ['192.0.2.7', '198.51.100.1', '203.0.113.9']
    const counted = () =>
      store.counts(
        places.flatMap((address) => windowsOf('address', { address }).map(({ key }) => key)),
        NOW,
      )
    // Somebody else at each of them.
    for (const [n, place] of places.entries()) await send(steps, number(20 + n), NOW, place)
    await steps.issue(basicSession(), NOW)
    const later = NOW + 60_000
    const present = await readChallenge(steps.parts, basicSession(), later)
    assert.ok(present)
    await sendCode({ ...steps.parts, address: '198.51.100.1' }, present, later)
    assert.deepEqual([...(await counted())], [2, 2, 1])
    const verifier = { ...steps.parts, address: '203.0.113.9' }
    const { address } = verifier
    const verified = await verifyCode(verifier, basicSession(), steps.lastCode(), address, later)
    assert.equal(verified.kind, 'verified')
    assert.deepEqual([...(await counted())], [1, 1, 1])
  })

  test('gives back no message of another code', async () => {
    const steps = codeSteps(open())
    for (const family of ['one', 'two', 'three']) {
      await steps.issue(basicSession({ family }), NOW)
    }
    await steps.verify(basicSession({ family: 'three' }), steps.lastCode(), NOW)
    const { person, number, address, prefix } = await counts(steps.parts.store, NOW)
    assert.deepEqual([person, number, address, prefix], [[2, 3], [2, 3], [2], [2]])
  })

  test('is one code among those of the hour, however often it is sent, and open until it is used', async () => {
    const steps = codeSteps(open())
    const keys = codeWindows(NOW).map(({ key }) => key)
    const codes = async () => [...(await steps.parts.store.counts(keys, NOW))]
    steps.next({ kind: 'failed', reason: 'rate_limited' })
    await steps.issue(basicSession(), NOW)
    assert.deepEqual(await codes(), [0, 0])
    for (const later of [NOW, NOW + 30_000]) {
      const present = await readChallenge(steps.parts, basicSession(), later)
      assert.ok(present)
      assert.equal((await sendCode(steps.parts, present, later)).kind, 'tried')
      assert.deepEqual(await codes(), [1, 1])
    }
    await steps.verify(basicSession(), steps.lastCode(), NOW + 30_000)
    assert.deepEqual(await codes(), [1, 0])
  })

  const unsent: readonly [SendOutcome, number][] = [
    [{ kind: 'refused', reason: 'not_mobile' }, 0],
    [{ kind: 'failed', reason: 'credentials' }, 0],
    [{ kind: 'failed', reason: 'unavailable' }, 1],
    [{ kind: 'sent', id: 'SM1' }, 1],
  ]
  for (const [outcome, stays] of unsent) {
    const said = 'reason' in outcome ? outcome.reason : outcome.kind
    test(`${stays === 1 ? 'stays' : 'is taken back from what others share'} after ${said}`, async () => {
      const steps = codeSteps(open())
      steps.next(outcome)
      await steps.issue(basicSession(), NOW)
      assert.deepEqual(await counts(steps.parts.store, NOW), {
        person: [1, 1],
        number: [1, 1],
        address: [stays],
        prefix: [stays],
        budget: [stays],
        unknown: [stays],
      })
    })
  }

  test('is no prefix for a number that is known, for 30 days from the last code that was used', async () => {
    const steps = codeSteps(open())
    const use = async (family: string, now: number) => {
      const session = basicSession({ family, createdAt: now })
      await steps.issue(session, now)
      const { prefix, unknown } = await counts(steps.parts.store, now)
      assert.equal((await steps.verify(session, steps.lastCode(), now)).kind, 'verified')
      return [prefix, unknown].flat()
    }
    assert.deepEqual(await use('first', NOW), [1, 1])
    assert.deepEqual(await use('second', NOW + 29 * DAY), [0, 0])
    assert.deepEqual(await use('third', NOW + 58 * DAY), [0, 0])
    assert.deepEqual(await use('fourth', NOW + 88 * DAY), [1, 1])
    const other = basicSession({ subject: 'another' })
    await steps.issue(other, NOW + 88 * DAY)
    assert.deepEqual((await counts(steps.parts.store, NOW + 88 * DAY)).prefix, [1])
  })
})

overStores('unknown numbers', (open) => {
  test('of one prefix get ten a day, whoever asks, and other prefixes go on', async () => {
    const steps = codeSteps(open())
    for (let n = 0; n < 10; n++) assert.equal((await send(steps, number(1, n))).by, 'sent')
    assert.equal((await send(steps, number(1, 10))).by, 'prefix')
    assert.equal((await send(steps, number(2))).by, 'sent')
    assert.equal((await send(steps, number(1, 10), NOW + DAY)).by, 'sent')
  })

  test('of a prefix get one more for each that became known', async () => {
    const steps = codeSteps(open())
    for (let n = 0; n < 3; n++) {
      const { session, code } = await send(steps, number(1, n))
      assert.equal((await steps.verify(session, code, NOW)).kind, 'verified')
    }
    for (let n = 10; n < 23; n++) assert.equal((await send(steps, number(1, n))).by, 'sent')
    assert.equal((await send(steps, number(1, 30))).by, 'prefix')
  })

  const few = { ...LIMITS, unknown: [{ limit: 6, windowMs: DAY }] }

  /** Uses up the share of all unknown numbers, in a prefix of their own, from elsewhere. */
  async function useUp(steps: Steps, now: number): Promise<void> {
    for (let n = 0; n < 6; n++) {
      assert.equal((await send(steps, number(1, n), now, '198.51.100.1')).by, 'sent')
    }
  }

  test('get two a prefix once all together have had their share', async () => {
    const steps = codeSteps(open(), few)
    for (let n = 0; n < 6; n++) assert.equal((await send(steps, number(1, n))).by, 'sent')
    assert.equal((await send(steps, number(1, 7))).by, 'prefix')
    for (const by of ['sent', 'sent', 'prefix']) {
      assert.equal((await send(steps, number(2, 1))).by, by)
    }
    // Those that were sent beyond the share count in it, so that it stays used up as long.
    const [window] = windowsOf('unknown', {}, few)
    assert.deepEqual([...(await steps.parts.store.counts([window?.key ?? ''], NOW))], [8])
  })

  test('are not held back at an address from which three people used a code', async () => {
    const steps = codeSteps(open(), few)
    for (let n = 0; n < 3; n++) {
      const { session, code } = await send(steps, number(9, n))
      await steps.verify(session, code, NOW)
    }
    await useUp(steps, NOW)
    for (let n = 0; n < 3; n++) assert.equal((await send(steps, number(2, n))).by, 'sent')
    assert.equal((await send(steps, number(2, 4), NOW, '198.51.100.1')).by, 'prefix')
    assert.equal((await send(steps, number(1, 7))).by, 'sent')
  })

  test('are held back at an address where one person used all the codes, however many', async () => {
    const steps = codeSteps(open(), few)
    for (let n = 0; n < 5; n++) {
      const session = basicSession({ family: `f-${n}` })
      await steps.issue(session, NOW)
      assert.equal((await steps.verify(session, steps.lastCode(), NOW)).kind, 'verified')
    }
    await useUp(steps, NOW)
    for (const by of ['sent', 'sent', 'prefix']) {
      assert.equal((await send(steps, number(2, 1))).by, by)
    }
  })

  test('are not held back there for the thirty days after those in which the three came', async () => {
    const steps = codeSteps(open(), few)
    for (let n = 0; n < 3; n++) {
      const { session, code } = await send(steps, number(9, n))
      await steps.verify(session, code, NOW)
    }
    for (const [days, third] of [
      [30, 'sent'],
      [60, 'prefix'],
    ] as const) {
      const later = NOW + days * DAY
      await useUp(steps, later)
      for (const by of ['sent', 'sent', third]) {
        assert.equal((await send(steps, number(2, 1), later)).by, by)
      }
    }
  })

  test('a known number is sent to whatever became of its prefix and of all unknown ones', async () => {
    const steps = codeSteps(open(), { ...few, prefix: [{ limit: 1, windowMs: DAY }] })
    await steps.issue(basicSession(), NOW)
    await steps.verify(basicSession(), steps.lastCode(), NOW)
    for (let n = 0; n < 9; n++) await send(steps, `${PHONE.slice(0, -4)}000${n}`)
    assert.equal((await send(steps, PHONE)).by, 'prefix')
    assert.equal((await steps.issue(basicSession({ family: 'next' }), NOW)).kind, 'sent')
  })
})

overStores('the budget', (open) => {
  test('is counted for all, and nobody is sent more until its day ends', async () => {
    const steps = codeSteps(open(), { ...LIMITS, budget: 4 })
    for (let n = 0; n < 4; n++) {
      const { by, session, code } = await send(steps, number(n))
      assert.equal(by, 'sent')
      await steps.verify(session, code, NOW)
    }
    assert.equal((await send(steps, number(5))).by, 'budget')
    assert.equal((await send(steps, number(1))).by, 'budget')
    const refused = await steps.issue(basicSession(), NOW + DAY - 1)
    assert.deepEqual(refused, { kind: 'limited', by: 'budget', retryAt: NOW + DAY })
    assert.equal((await send(steps, number(5), NOW + DAY)).by, 'sent')
  })
})
