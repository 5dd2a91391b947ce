import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastMessage } from '../../proxy/otp/challenge.ts'
import { readChallenge, type StoredChallenge } from '../../proxy/otp/challenge-record.ts'
import { challengeState } from '../../proxy/otp/challenge-state.ts'
import { deliveryKind } from '../../proxy/otp/delivery-news.ts'
import { addReport, reportOf } from '../../proxy/otp/delivery-record.ts'
import { issueChallenge } from '../../proxy/otp/issue-challenge.ts'
import { resendAt, sendCode, waiveWait } from '../../proxy/otp/send-code.ts'
import type { Session } from '../../proxy/session/session.ts'
import type { Paused, SendOutcome } from '../../proxy/sms/sender.ts'
import { type Store, StoreUnavailableError } from '../../proxy/store/store.ts'
import { NOW } from '../session/session-sample.ts'
import {
  basicSession,
  codeSteps,
  MINUTE,
  overStores,
  PHONE,
  SECOND,
  windowsOf,
} from './otp-parts.ts'

type Steps = ReturnType<typeof codeSteps>

const OTHER_PHONE = '+491713920042'
const PAUSED: Paused = { kind: 'paused', reason: 'unavailable', until: NOW + MINUTE }
const REFUSED: SendOutcome = { kind: 'refused', reason: 'not_mobile' }
const UNCLEAR: SendOutcome = { kind: 'failed', reason: 'unavailable' }
const NOTHING_SENT: readonly SendOutcome[] = [
  PAUSED,
  REFUSED,
  { kind: 'failed', reason: 'rate_limited' },
]
const FAILED = { state: 'failed', reason: 'unreachable' } as const

/** The same steps with the next press held back, or answered in another way. */
function answering(steps: Steps, outcome: SendOutcome): Steps['parts'] {
  if (outcome.kind !== 'paused') {
    steps.next(outcome)
    return steps.parts
  }
  return { ...steps.parts, sender: { ...steps.parts.sender, paused: () => outcome } }
}

async function stored(
  { parts }: Steps,
  now: number,
  session: Session = basicSession(),
): Promise<StoredChallenge> {
  const found = await readChallenge(parts, session, now)
  assert.ok(found)
  return found
}

async function resend(steps: Steps, now: number, parts = steps.parts) {
  return sendCode(parts, await stored(steps, now), now)
}

/** A press of "send again" as the page's form does it. */
async function press(steps: Steps, now: number, parts = steps.parts): Promise<string> {
  const present = await stored(steps, now)
  await waiveWait(parts, present.challenge, now)
  return (await sendCode(parts, present, now)).kind
}

const waitOf = async ({ parts }: Steps, now: number) => {
  const to = { subject: 'subject-1', family: 'family-id', phone: PHONE }
  return Math.max(0, (await resendAt(parts, to, now)) - now) / SECOND
}

overStores('a press by which nothing goes out', (open) => {
  for (const outcome of NOTHING_SENT) {
    const said = 'reason' in outcome ? `${outcome.kind}, ${outcome.reason}` : outcome.kind

    test(`(${said}) leaves a code that is in hand in another session to be used`, async () => {
      const steps = codeSteps(open())
      await steps.issue(basicSession(), NOW)
      const code = steps.lastCode()
      const second = basicSession({ family: 'second' })
      const parts = answering(steps, outcome)
      const number = { phone: PHONE, choices: 1 }
      const issued = await issueChallenge(parts, second, number, undefined, NOW + 1)
      assert.equal(issued.kind === 'sent' && issued.challenge.delivery.kind, outcome.kind)
      const state = challengeState(await stored(steps, NOW + 1, second), false, NOW + 1)
      assert.equal(state.canEnter, false)
      assert.ok(['send-paused', 'send-failed'].includes(state.notice.kind), state.notice.kind)
      assert.equal((await steps.verify(second, code, NOW + 1)).kind, 'none')
      assert.equal((await steps.verify(basicSession(), code, NOW + 1)).kind, 'verified')
    })

    test(`(${said}) to another number leaves the code at the first one to be used`, async () => {
      const steps = codeSteps(open())
      await steps.issue(basicSession(), NOW)
      const code = steps.lastCode()
      const previous = await stored(steps, NOW + 1)
      const number = { phone: OTHER_PHONE, choices: 2 }
      const parts = answering(steps, outcome)
      const issued = await issueChallenge(parts, basicSession(), number, previous, NOW + 1)
      assert.equal(issued.kind, 'kept')
      assert.equal(issued.kind === 'kept' && issued.unsent.delivery.kind, outcome.kind)
      assert.equal((await stored(steps, NOW + 1)).challenge.phone, PHONE)
      const verified = await steps.verify(basicSession(), code, NOW + 2 * SECOND)
      const secondsSinceSend = 2
      assert.deepEqual(verified, { kind: 'verified', channel: 'sms', secondsSinceSend })
    })

    test(`(${said}) forgets nothing of the message that is on its way`, async () => {
      const steps = codeSteps(open())
      await steps.issue(basicSession(), NOW)
      const later = NOW + 40 * SECOND
      assert.equal((await resend(steps, later, answering(steps, outcome))).kind, 'tried')
      const { challenge } = await stored(steps, later)
      assert.equal(challenge.delivery.kind, outcome.kind)
      const { store } = steps.parts
      const message = lastMessage(challenge)
      assert.equal(message?.id, 'SM1')
      assert.equal(deliveryKind(challenge, await reportOf(store, message, later)), 'sending')
      const owner = { ...challenge }
      await addReport(store, 'SM1', { state: 'delivered' }, owner, later)
      assert.equal(deliveryKind(challenge, await reportOf(store, message, later)), 'delivered')
      const state = challengeState(await stored(steps, later), false, later)
      assert.ok(['send-paused', 'send-failed'].includes(state.notice.kind), state.notice.kind)
      assert.equal(state.canEnter, true)
      const verified = await steps.verify(basicSession(), challenge.code, later + 5 * SECOND)
      assert.equal(verified.kind === 'verified' && verified.secondsSinceSend, 45)
    })
  }

  test('makes way for no code that has expired: the page says what became of the press', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    const later = NOW + 6 * MINUTE
    steps.next(REFUSED)
    const issued = await steps.issue(basicSession(), later, await stored(steps, later), OTHER_PHONE)
    assert.equal(issued.kind, 'sent')
    assert.equal((await stored(steps, later)).challenge.phone, OTHER_PHONE)
  })

  test('counts nowhere when it is held back, and costs no wait', async () => {
    const steps = codeSteps(open())
    const windows = [...windowsOf('person'), ...windowsOf('number'), ...windowsOf('budget')]
    const counts = () =>
      steps.parts.store.counts(
        windows.map(({ key }) => key),
        NOW,
      )
    const number = { phone: PHONE, choices: 1 }
    await issueChallenge(answering(steps, PAUSED), basicSession(), number, undefined, NOW)
    assert.deepEqual([...(await counts())], [0, 0, 0, 0, 0])
    assert.equal((await resend(steps, NOW + 1)).kind, 'tried')
    assert.deepEqual([...(await counts())], [1, 1, 1, 1, 1])
    assert.equal((await steps.verify(basicSession(), steps.lastCode(), NOW + 1)).kind, 'verified')
  })

  test('may have been one by which the code came: then it is the newest', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    const second = basicSession({ family: 'second' })
    steps.next(UNCLEAR)
    await steps.issue(second, NOW + 1)
    const [first, unclear] = steps.codes()
    assert.equal((await steps.verify(basicSession(), first ?? '', NOW + 1)).kind, 'superseded')
    assert.equal((await steps.verify(second, unclear ?? '', NOW + 1)).kind, 'verified')
  })
})

overStores('a code that is being sent', (open) => {
  test('works before Twilio has answered, and until then the one in another session does', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    const answer = Promise.withResolvers<SendOutcome>()
    steps.next(answer.promise)
    const second = basicSession({ family: 'second' })
    const sending = steps.issue(second, NOW)
    while (steps.sent.length < 2) await new Promise(setImmediate)
    assert.equal(challengeState(await stored(steps, NOW, second), false, NOW).canEnter, true)
    assert.equal((await stored(steps, NOW)).newest, true)
    assert.equal((await steps.verify(second, '000000', NOW)).kind, 'wrong')
    const [, code] = steps.codes()
    answer.resolve({ kind: 'sent', id: 'SM2' })
    await sending
    assert.equal((await stored(steps, NOW)).newest, false)
    assert.equal((await steps.verify(second, code ?? '', NOW)).kind, 'verified')
  })

  test('and whose end nobody wrote down may have come: the page says so, and it is compared', async () => {
    const store = open()
    const down = new StoreUnavailableError(undefined)
    let isDown = true
    const steps = codeSteps({
      ...store,
      count: (...asked) => (isDown ? Promise.reject(down) : store.count(...asked)),
    })
    await assert.rejects(steps.issue(basicSession(), NOW), StoreUnavailableError)
    isDown = false
    const at = async (now: number) => challengeState(await stored(steps, now), false, now)
    assert.equal((await at(NOW + 29 * SECOND)).notice.kind, 'sending')
    const unclear = { kind: 'send-failed', reason: 'unavailable', channel: 'sms' }
    assert.deepEqual(await at(NOW + 30 * SECOND), { canEnter: true, notice: unclear })
    const { challenge } = await stored(steps, NOW + 30 * SECOND)
    assert.equal(deliveryKind(challenge, undefined), undefined)
    const guess = await steps.verify(basicSession(), '000000', NOW + 30 * SECOND)
    assert.equal(guess.kind, 'wrong')
    assert.equal((await resend(steps, NOW + 31 * SECOND)).kind, 'tried')
    assert.equal((await at(NOW + 31 * SECOND)).notice.kind, 'sent')
    const code = steps.lastCode()
    assert.equal((await steps.verify(basicSession(), code, NOW + 31 * SECOND)).kind, 'verified')
  })

  test('is sent although nobody can look at the alarms', async () => {
    const steps = codeSteps(open())
    const down = () => Promise.reject(new StoreUnavailableError(undefined))
    const alarms = { ...steps.parts.alarms, look: down, budgetSpent: down }
    const number = { phone: PHONE, choices: 1 }
    const parts = { ...steps.parts, alarms }
    const issued = await issueChallenge(parts, basicSession(), number, undefined, NOW)
    assert.equal(issued.kind === 'sent' && issued.challenge.delivery.kind, 'sent')
  })
})

overStores('waits between messages', (open) => {
  /** A store in which the first wait that is waived takes until `late` lets it. */
  function slowly(store: Store) {
    const late = Promise.withResolvers<void>()
    let waived = 0
    const slow: Store = {
      ...store,
      async waive(...asked) {
        waived += 1
        if (waived === 1) await late.promise
        return store.waive(...asked)
      },
    }
    return { slow, late, waived: () => waived }
  }

  for (const after of [1, 40]) {
    test(`of two presses ${after} s after a message that failed to arrive one sends, however slow`, {
      timeout: 60_000,
    }, async () => {
      const { slow, late, waived } = slowly(open())
      const steps = codeSteps(slow)
      await steps.issue(basicSession(), NOW)
      const { challenge } = await stored(steps, NOW)
      await addReport(slow, 'SM1', FAILED, { ...challenge }, NOW)
      const now = NOW + after * SECOND
      const first = press(steps, now)
      while (waived() === 0) await new Promise(setImmediate)
      assert.equal(await press(steps, now), 'tried')
      late.resolve()
      assert.equal(await first, 'wait')
      assert.equal(steps.sent.length, 2)
    })
  }

  test('grow with the messages that Twilio took, whatever else came between', async () => {
    const steps = codeSteps(open())
    const { store } = steps.parts
    await steps.issue(basicSession(), NOW)
    assert.equal(await waitOf(steps, NOW), 30)
    let now = NOW + 30 * SECOND
    for (const outcome of [REFUSED, UNCLEAR, PAUSED]) {
      await resend(steps, now, answering(steps, outcome))
      assert.equal(await waitOf(steps, now), 0)
    }
    const [person] = windowsOf('person')
    assert.ok(person)
    while ((await store.count([person], now)).kind === 'counted');
    assert.equal((await resend(steps, now)).kind, 'limited')
    assert.equal(await waitOf(steps, now), 0)
    await store.remove(person.key)
    await resend(steps, now)
    assert.equal(await waitOf(steps, now), 60)
    const { challenge } = await stored(steps, now)
    const message = lastMessage(challenge)
    assert.ok(message)
    await addReport(store, message.id, FAILED, { ...challenge }, now)
    now += SECOND
    assert.equal(await press(steps, now), 'tried')
    assert.equal(await waitOf(steps, now), 120)
  })
})
