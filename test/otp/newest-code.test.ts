import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readChallenge } from '../../proxy/otp/challenge-record.ts'
import { challengeState } from '../../proxy/otp/challenge-state.ts'
import { issueChallenge } from '../../proxy/otp/issue-challenge.ts'
import { sendCode } from '../../proxy/otp/send-code.ts'
import type { SendOutcome } from '../../proxy/sms/sender.ts'
import { type Store, StoreUnavailableError } from '../../proxy/store/store.ts'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'
import { NOW } from '../session/session-sample.ts'
import { until } from '../support/until.ts'
import { basicSession, codeSteps, MINUTE, NO_LIMITS, SECOND } from './otp-parts.ts'

const [a, b] = ['a', 'b'].map((family) => basicSession({ family })) as [
  ReturnType<typeof basicSession>,
  ReturnType<typeof basicSession>,
]
const SENT: SendOutcome = { kind: 'sent', id: 'SM1' }

/** Waits until Twilio has been asked to send so many codes. */
const asked = (steps: ReturnType<typeof codeSteps>, count: number) =>
  until(async () => steps.codes().length === count)

test('a code that was used before Twilio answered has made the one before it old', async () => {
  const steps = codeSteps(createMemoryStore())
  await steps.issue(a, NOW)
  const old = steps.lastCode()
  const answer = Promise.withResolvers<SendOutcome>()
  steps.next(answer.promise)
  const issuing = steps.issue(b, NOW + MINUTE)
  await asked(steps, 2)
  const newer = steps.lastCode()
  assert.notEqual(newer, old)
  assert.equal((await steps.verify(b, newer, NOW + MINUTE + SECOND)).kind, 'verified')
  answer.resolve(SENT)
  await issuing
  assert.equal((await steps.verify(a, old, NOW + 2 * MINUTE)).kind, 'superseded')
})

test('of codes whose sends are all under way one can be guessed at, five times', async () => {
  const steps = codeSteps(createMemoryStore(), NO_LIMITS)
  const sessions = Array.from({ length: 8 }, (_, index) => basicSession({ family: `f${index}` }))
  const answers = sessions.map(() => Promise.withResolvers<SendOutcome>())
  steps.next(...answers.map(({ promise }) => promise))
  const issuing = sessions.map((session) => steps.issue(session, NOW))
  await asked(steps, 8)
  const guesses = sessions.flatMap((session) =>
    Array.from({ length: 25 }, () => steps.verify(session, 'x'.repeat(6), NOW + 1)),
  )
  // Not codes: nothing is claimed by them.
  assert.ok((await Promise.all(guesses)).every(({ kind }) => kind === 'not-a-code'))
  const wrong = ['000000', '000001'].find((code) => !steps.codes().includes(code)) ?? ''
  const verified = await Promise.all(
    sessions.flatMap((session) =>
      Array.from({ length: 25 }, () => steps.verify(session, wrong, NOW + 1)),
    ),
  )
  const kinds = Map.groupBy(verified, ({ kind }) => kind)
  assert.equal(kinds.get('wrong')?.length, 5)
  assert.equal((kinds.get('used-up')?.length ?? 0) + (kinds.get('superseded')?.length ?? 0), 195)
  for (const { resolve } of answers) resolve(SENT)
  await Promise.all(issuing)
})

test('a newest code that the store did not take becomes it when it is sent again', async () => {
  const store = createMemoryStore()
  let failing = false
  const put: Store['put'] = (key, ...rest) =>
    failing && key.startsWith('newest')
      ? Promise.reject(new StoreUnavailableError(new Error('away')))
      : store.put(key, ...rest)
  const steps = codeSteps({ ...store, put })
  await steps.issue(a, NOW)
  const old = steps.lastCode()
  failing = true
  await assert.rejects(steps.issue(b, NOW + SECOND), { code: 'store_unavailable' })
  failing = false
  const stored = (await readChallenge(steps.parts, b, NOW + 40 * SECOND)) ?? assert.fail()
  assert.equal((await sendCode(steps.parts, stored, NOW + 40 * SECOND)).kind, 'tried')
  assert.equal((await steps.verify(a, old, NOW + MINUTE)).kind, 'superseded')
})

test('a code is not called old when what stood before it has run out', async () => {
  const steps = codeSteps(createMemoryStore())
  await steps.issue(a, NOW)
  const later = NOW + 19 * MINUTE
  const previous = await readChallenge(steps.parts, a, later)
  // Its process ends before Twilio has answered.
  steps.next(new Promise<SendOutcome>(() => {}))
  void steps.issue(a, later, previous)
  await asked(steps, 2)
  const at = later + 90 * SECOND
  const stored = (await readChallenge(steps.parts, a, at)) ?? assert.fail()
  assert.notEqual(challengeState(stored, false, at).notice.kind, 'superseded')
  assert.equal((await steps.verify(a, steps.lastCode(), at)).kind, 'verified')
})

test('a press that is late does not put an expired code in the place of the one that was sent', async () => {
  const store = createMemoryStore()
  const steps = codeSteps(store, NO_LIMITS)
  await steps.issue(a, NOW)
  const later = NOW + 6 * MINUTE
  const strike = Promise.withResolvers<void>()
  const slow: Store = {
    ...store,
    strike: (...args) => strike.promise.then(() => store.strike(...args)),
  }
  const previous = await readChallenge(steps.parts, a, later)
  const number = { phone: previous?.challenge.phone ?? '', choices: 1 }
  const late = issueChallenge({ ...steps.parts, store: slow }, a, number, previous, later)
  const isNew = async () =>
    (await readChallenge(steps.parts, a, later))?.challenge.id !== previous?.challenge.id
  await until(isNew)
  const stored = (await readChallenge(steps.parts, a, later)) ?? assert.fail()
  steps.next(SENT)
  assert.equal((await sendCode(steps.parts, stored, later)).kind, 'tried')
  strike.resolve()
  assert.equal((await late).kind, 'present')
  assert.equal((await steps.verify(a, steps.lastCode(), later + SECOND)).kind, 'verified')
})
