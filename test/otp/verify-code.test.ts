import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readChallenge } from '../../proxy/otp/challenge-record.ts'
import { sendCode } from '../../proxy/otp/send-code.ts'
import { sendWindows } from '../../proxy/otp/send-limits.ts'
import { isUsedUp, readLock } from '../../proxy/otp/verify-code.ts'
import type { Session } from '../../proxy/session/session.ts'
import type { Store } from '../../proxy/store/store.ts'
import { NOW } from '../session/session-sample.ts'
import {
  basicSession,
  codeSteps,
  DAY,
  MINUTE,
  overStores,
  PHONE,
  SECOND,
  TTL,
  windowsOf,
} from './otp-parts.ts'

const WRONG = '000000'
type Steps = ReturnType<typeof codeSteps>

const tally = (results: readonly { kind: string }[], ...kinds: string[]) =>
  results.filter(({ kind }) => kinds.includes(kind)).length

/** A session of its own with a code of its own to a number of its own, so that no send limit bites. */
async function freshCode(steps: Steps, n: number, now: number): Promise<Session> {
  const session = basicSession({ family: `family-${n}`, createdAt: now })
  const phone = `+4915${String(n).padStart(9, '0')}`
  await clearSends(steps, phone)
  const issued = await steps.issue(session, now, undefined, phone)
  assert.equal(issued.kind, 'sent')
  return session
}

async function clearSends({ parts }: Steps, phone = PHONE): Promise<void> {
  const { store, limits, address } = parts
  const sending = { channel: 'sms' as const, subject: 'subject-1', phone, address, unknown: true }
  for (const { key } of sendWindows(limits.sms, sending)) await store.remove(key)
}

/** `count` wrong guesses in a row, each of which is compared; the clock turns past each wait. */
async function fail(steps: Steps, count: number, from: number): Promise<number> {
  let now = from
  let session: Session | undefined
  for (let n = 0; n < count; n++) {
    const lock = await readLock(steps.parts, 'subject-1', now)
    if (lock !== undefined) now = lock.until
    if (n % 5 === 0 || lock !== undefined) session = await freshCode(steps, from + n, now)
    assert.ok(session)
    assert.equal((await steps.verify(session, WRONG, now)).kind, 'wrong', `failure ${n + 1}`)
  }
  return now
}

overStores('verifying a code', (open) => {
  test('the right code is verified once', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    const code = steps.lastCode()
    const verified = await steps.verify(basicSession(), code, NOW + 20 * SECOND)
    assert.deepEqual(verified, { kind: 'verified', channel: 'sms', secondsSinceSend: 20 })
    assert.deepEqual(await steps.verify(basicSession(), code, NOW + 21 * SECOND), { kind: 'none' })
  })

  test('the right code fifty times at once is verified once', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    const code = steps.lastCode()
    const guesses = Array.from({ length: 50 }, () => steps.verify(basicSession(), code, NOW))
    const results = await Promise.all(guesses)
    assert.equal(tally(results, 'verified'), 1)
    assert.equal(tally(results, 'verified', 'none', 'used-up'), 50)
  })

  test('of 200 guesses at once five are compared, and then the right code is refused', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    const guesses = Array.from({ length: 200 }, () => steps.verify(basicSession(), WRONG, NOW))
    const results = await Promise.all(guesses)
    assert.equal(tally(results, 'wrong', 'verified'), 5)
    assert.equal(tally(results, 'used-up'), 195)
    assert.deepEqual(await steps.verify(basicSession(), steps.lastCode(), NOW), { kind: 'used-up' })
    const id = (await readChallenge(steps.parts, basicSession(), NOW))?.challenge.id ?? ''
    assert.equal(await isUsedUp(steps.parts, id, NOW), true)
  })

  test('of 200 guesses at once from 40 sessions of one person five are compared', async () => {
    const steps = codeSteps(open())
    const sessions: Session[] = []
    for (let n = 0; n < 40; n++) sessions.push(await freshCode(steps, n, NOW))
    const results = await Promise.all(
      sessions.flatMap((session) =>
        Array.from({ length: 5 }, () => steps.verify(session, WRONG, NOW)),
      ),
    )
    assert.equal(tally(results, 'wrong', 'verified'), 5)
  })

  test('each wrong guess says how many are left', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    for (const attemptsLeft of [4, 3, 2, 1, 0]) {
      const now = NOW + (5 - attemptsLeft) * 50 * SECOND
      const result = await steps.verify(basicSession(), WRONG, now)
      assert.deepEqual(result, { kind: 'wrong', attemptsLeft })
    }
    const last = await steps.verify(basicSession(), steps.lastCode(), NOW + TTL - 1)
    assert.deepEqual(last, { kind: 'used-up' })
  })

  test('what is no code costs nothing', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    for (const input of ['', '12345', '1234567', 'abcdef', '١٢٣٤٥٦', '1'.repeat(10_000)]) {
      assert.deepEqual(await steps.verify(basicSession(), input, NOW), { kind: 'not-a-code' })
    }
    const result = await steps.verify(basicSession(), WRONG, NOW)
    assert.deepEqual(result, { kind: 'wrong', attemptsLeft: 4 })
  })

  test('a code works until the millisecond before it expires', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    const code = steps.lastCode()
    assert.deepEqual(await steps.verify(basicSession(), code, NOW + TTL), { kind: 'expired' })
    assert.equal((await steps.verify(basicSession(), code, NOW + TTL - 1)).kind, 'verified')
  })

  test('a code is worth nothing in another session, to another person, or without one', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    const code = steps.lastCode()
    const verify = (changes: Partial<Session>) => steps.verify(basicSession(changes), code, NOW)
    assert.deepEqual(await verify({ family: 'another' }), { kind: 'none' })
    assert.deepEqual(await verify({ subject: 'another' }), { kind: 'none' })
    await steps.issue(basicSession({ subject: 'another' }), NOW, undefined, '+4915199999999')
    assert.deepEqual(await verify({ subject: 'another' }), { kind: 'wrong', attemptsLeft: 4 })
    assert.equal((await verify({})).kind, 'verified')
  })

  test('a newer code in another session of the person ends the one before', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    const old = steps.lastCode()
    const second = basicSession({ family: 'second' })
    await steps.issue(second, NOW)
    assert.deepEqual(await steps.verify(basicSession(), old, NOW), { kind: 'superseded' })
    assert.deepEqual(await steps.verify(second, old, NOW), { kind: 'wrong', attemptsLeft: 4 })
    assert.equal((await steps.verify(second, steps.lastCode(), NOW)).kind, 'verified')
    assert.deepEqual(await steps.verify(basicSession(), old, NOW), { kind: 'superseded' })
  })

  test('a code that was replaced while it was compared uses up neither itself nor the new one', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    const now = NOW + MINUTE
    const old = steps.lastCode()
    const previous = await readChallenge(steps.parts, basicSession(), now)
    const { store } = steps.parts
    let replaced = false
    // The moment between reading the challenge and using it up.
    const racing: Store = {
      ...store,
      async strike(key, ...rest) {
        if (!replaced) {
          replaced = true
          assert.equal((await steps.issue(basicSession(), now, previous)).kind, 'sent')
        }
        return store.strike(key, ...rest)
      },
    }
    const late = codeSteps(racing)
    assert.deepEqual(await late.verify(basicSession(), old, now), { kind: 'none' })
    assert.ok(replaced)
    assert.equal((await steps.verify(basicSession(), steps.lastCode(), now)).kind, 'verified')
  })

  test('a right code is not lost because its message was just sent again', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    const { store } = steps.parts
    const racing: Store = {
      ...store,
      async strike(key, ...rest) {
        const present = await readChallenge(steps.parts, basicSession(), NOW)
        assert.ok(present)
        await sendCode(steps.parts, present, NOW + 1)
        return store.strike(key, ...rest)
      },
    }
    const late = codeSteps(racing)
    const code = steps.lastCode()
    assert.equal((await late.verify(basicSession(), code, NOW + 1)).kind, 'verified')
    assert.equal((await steps.verify(basicSession(), code, NOW + 1)).kind, 'none')
  })

  test('a code of another length than is configured now is still compared', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    const longer = { ...steps.parts, length: 8 }
    const { verifyCode } = await import('../../proxy/otp/verify-code.ts')
    const verify = (input: string) => verifyCode(longer, basicSession(), input, '', NOW)
    assert.deepEqual(await verify('12345678'), { kind: 'not-a-code' })
    assert.equal((await verify(steps.lastCode())).kind, 'verified')
  })
})

overStores('failures in a row', (open) => {
  test('wait 30 s after the tenth, twice as long after each, an hour at most, and lock at the fiftieth', async () => {
    const steps = codeSteps(open())
    const { parts } = steps
    let now = await fail(steps, 9, NOW)
    assert.equal(await readLock(parts, 'subject-1', now), undefined)
    for (let failures = 10; failures < 50; failures++) {
      now = await fail(steps, 1, now + 1)
      const wait = Math.min(30 * SECOND * 2 ** (failures - 10), 60 * MINUTE)
      const expected = { kind: 'locked', locked: false, until: now + wait }
      assert.deepEqual(await readLock(parts, 'subject-1', now), expected, `failure ${failures}`)
      assert.ok(await readLock(parts, 'subject-1', now + wait - 1))
      assert.equal(await readLock(parts, 'subject-1', now + wait), undefined)
      now += wait
    }
    now = await fail(steps, 1, now)
    const locked = { kind: 'locked', locked: true, until: now + DAY }
    assert.deepEqual(await readLock(parts, 'subject-1', now), locked)

    const session = await freshCode(steps, 1, now)
    assert.deepEqual(await steps.verify(session, steps.lastCode(), now + DAY - 1), locked)
    assert.deepEqual(await readLock(parts, 'subject-1', now + DAY - 1), locked)
    assert.equal(await readLock(parts, 'subject-1', now + DAY), undefined)
    const later = await freshCode(steps, 2, now + DAY)
    const first = await steps.verify(later, WRONG, now + DAY)
    assert.deepEqual(first, { kind: 'wrong', attemptsLeft: 4 })
  })

  test('guesses during a wait are not compared, not counted, and prolong nothing', async () => {
    const steps = codeSteps(open())
    const now = await fail(steps, 10, NOW)
    const session = await freshCode(steps, 1, now)
    const lock = { kind: 'locked', locked: false, until: now + 30 * SECOND }
    for (const at of [now, now + 30 * SECOND - 1]) {
      const right = await steps.verify(session, steps.lastCode(), at)
      assert.deepEqual(right, lock)
    }
    const wrong = await steps.verify(session, WRONG, now + 30 * SECOND)
    const longer = { ...lock, until: now + 30 * SECOND + MINUTE }
    assert.deepEqual(wrong, { kind: 'wrong', attemptsLeft: 4, lock: longer })
    const next = await readLock(steps.parts, 'subject-1', now + 30 * SECOND)
    assert.equal(next?.until, now + 30 * SECOND + MINUTE)
  })

  test('of many guesses at once at the end of a wait one is compared', async () => {
    const steps = codeSteps(open())
    const now = (await fail(steps, 10, NOW)) + 30 * SECOND
    const session = await freshCode(steps, 1, now)
    const guesses = Array.from({ length: 20 }, () => steps.verify(session, WRONG, now))
    assert.equal(tally(await Promise.all(guesses), 'wrong', 'verified'), 1)
  })

  test('a right code ends the row, and gives the sends of the last minutes back', async () => {
    const steps = codeSteps(open())
    const now = await fail(steps, 9, NOW)
    await clearSends(steps)
    const session = basicSession()
    await steps.issue(session, now)
    const windows = windowsOf('person')
    for (let n = 0; n < 9; n++) await steps.parts.store.count(windows, now)
    assert.equal((await steps.parts.store.count(windows, now)).kind, 'full')
    assert.equal((await steps.verify(session, steps.lastCode(), now)).kind, 'verified')
    assert.equal((await steps.parts.store.count(windows, now)).kind, 'counted')
    const after = await fail(steps, 9, now + MINUTE)
    assert.equal(await readLock(steps.parts, 'subject-1', after), undefined)
  })

  test('are one person’s own: another person is not held up', async () => {
    const steps = codeSteps(open())
    const now = await fail(steps, 10, NOW)
    const other = basicSession({ subject: 'another' })
    assert.equal(await readLock(steps.parts, 'another', now), undefined)
    await steps.issue(other, now, undefined, '+4915199999999')
    assert.equal((await steps.verify(other, steps.lastCode(), now)).kind, 'verified')
  })

  test('are forgotten a day after the last one, and not before', async () => {
    const steps = codeSteps(open())
    const now = await fail(steps, 9, NOW)
    const late = now + DAY - 1
    await fail(steps, 1, late)
    assert.ok(await readLock(steps.parts, 'subject-1', late))
    const other = codeSteps(open())
    const then = (await fail(other, 9, NOW)) + DAY
    await fail(other, 1, then)
    assert.equal(await readLock(other.parts, 'subject-1', then), undefined)
  })
})
