import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  readChallenge,
  type StoredChallenge,
  writeChallenge,
} from '../../proxy/otp/challenge-record.ts'
import { challengeState } from '../../proxy/otp/challenge-state.ts'
import { issueChallenge } from '../../proxy/otp/issue-challenge.ts'
import { resendAt, sendCode } from '../../proxy/otp/send-code.ts'
import type { Channel, SendOutcome } from '../../proxy/sms/sender.ts'
import { NOW } from '../session/session-sample.ts'
import { basicSession, codeSteps, overStores, PHONE, SECOND } from './otp-parts.ts'

const TAKEN: SendOutcome = { kind: 'sent', id: 'X1' }
const REFUSED: SendOutcome = { kind: 'refused', reason: 'not_routable' }
const UNCLEAR: SendOutcome = { kind: 'failed', reason: 'unavailable' }

type Steps = ReturnType<typeof codeSteps>

async function stored({ parts }: Steps, now: number): Promise<StoredChallenge> {
  const found = await readChallenge(parts, basicSession(), now)
  assert.ok(found)
  return found
}

/** One press of "send again": counted, and sent if nothing refuses it. */
async function resend(steps: Steps, now: number) {
  return sendCode(steps.parts, await stored(steps, now), now)
}

const canEnter = async (steps: Steps, now: number) =>
  challengeState(await stored(steps, now), false, now).canEnter

overStores('sending a code', (open) => {
  test('again repeats the same code after 30, 60, 120 and each further 120 seconds', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    let now = NOW
    for (const [index, wait] of [30, 60, 120].entries()) {
      const until = now + wait * SECOND
      assert.deepEqual(await resend(steps, until - 1), { kind: 'wait', until })
      assert.equal(steps.sent.length, index + 1)
      now = until
      await resend(steps, now)
      assert.equal(steps.sent.length, index + 2)
    }
    const wait = { subject: 'subject-1', family: 'family-id', phone: PHONE }
    assert.equal(await resendAt(steps.parts, wait, now), now + 120 * SECOND)
    assert.equal(new Set(steps.codes()).size, 1)
    assert.deepEqual(
      steps.sent.map(({ validForSeconds }) => validForSeconds),
      [300, 270, 210, 90],
    )
  })

  test('of two presses at once one sends', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    const now = NOW + 30 * SECOND
    await Promise.all([resend(steps, now), resend(steps, now), resend(steps, now)])
    assert.equal(steps.sent.length, 2)
  })

  test('waits are those of one number: another one may be sent to at once', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    const first = await stored(steps, NOW)
    assert.equal((await steps.issue(basicSession(), NOW, first, '+491713920042')).kind, 'sent')
  })

  const failures: readonly [SendOutcome, boolean][] = [
    [{ kind: 'refused', reason: 'not_mobile', code: 21614 }, false],
    [{ kind: 'failed', reason: 'credentials', code: 20003 }, false],
    [{ kind: 'failed', reason: 'rate_limited', code: 20429 }, false],
    [{ kind: 'failed', reason: 'unavailable' }, true],
  ]
  for (const [outcome, mayArrive] of failures) {
    test(`that ends in ${outcome.kind}, ${'reason' in outcome && outcome.reason}: costs no wait`, async () => {
      const steps = codeSteps(open())
      steps.next(outcome)
      await steps.issue(basicSession(), NOW)
      assert.deepEqual((await stored(steps, NOW)).challenge.delivery, {
        ...outcome,
        at: NOW,
        channel: 'sms',
      })
      assert.equal(await canEnter(steps, NOW), mayArrive)
      await resend(steps, NOW + 1)
      assert.equal(steps.sent.length, 2)
      assert.equal(new Set(steps.codes()).size, 1)
      assert.equal(await canEnter(steps, NOW + 1), true)
    })
  }

  test('again in vain leaves the code of the first message to be entered', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    steps.next({ kind: 'failed', reason: 'rate_limited' }, { kind: 'refused', reason: 'blocked' })
    const now = NOW + 30 * SECOND
    await resend(steps, now)
    await resend(steps, now)
    assert.equal(steps.sent.length, 3)
    assert.equal(await canEnter(steps, now), true)
    assert.equal((await steps.verify(basicSession(), steps.lastCode(), now)).kind, 'verified')
  })

  test('by a call repeats the same code, and shares its waits with messages', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    const byCall = { ...steps, parts: { ...steps.parts, channel: 'call' as const } }
    const early = await resend(byCall, NOW + 1)
    assert.deepEqual(early, { kind: 'wait', until: NOW + 30 * SECOND })
    const now = NOW + 30 * SECOND
    await Promise.all([resend(byCall, now), resend(byCall, now)])
    assert.deepEqual(steps.calls, [
      { to: PHONE, language: 'en-US', sentences: [steps.codes()[0] ?? ''] },
    ])
    assert.equal(steps.sent.length, 1)
    assert.deepEqual(await resend(steps, now + 1), { kind: 'wait', until: now + 60 * SECOND })
    const verified = await steps.verify(basicSession(), steps.lastCode(), now + SECOND)
    assert.deepEqual(verified, { kind: 'verified', channel: 'call', secondsSinceSend: 1 })
  })

  test('is an SMS when the version before has sealed it', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    const { challenge, sealed } = await stored(steps, NOW)
    const { sends: _, channel: __, strike: ___, ...before } = challenge
    await writeChallenge(steps.parts, before as typeof challenge, sealed, NOW)
    const verified = await steps.verify(basicSession(), steps.lastCode(), NOW)
    assert.equal(verified.kind === 'verified' && verified.channel, 'sms')
  })

  const verifiedBy: readonly [string, readonly [Channel, SendOutcome][], Channel][] = [
    ['the first call', [['call', TAKEN]], 'call'],
    [
      'a text after a call',
      [
        ['call', TAKEN],
        ['sms', TAKEN],
      ],
      'sms',
    ],
    ['a call that may have been made', [['call', UNCLEAR]], 'call'],
    [
      'a text, when a call was refused',
      [
        ['sms', TAKEN],
        ['call', REFUSED],
      ],
      'sms',
    ],
    [
      'a text, when nobody knows of a call',
      [
        ['sms', TAKEN],
        ['call', UNCLEAR],
      ],
      'sms',
    ],
    [
      'a call, when the text before was refused',
      [
        ['sms', REFUSED],
        ['call', TAKEN],
      ],
      'call',
    ],
  ]
  for (const [name, sends, channel] of verifiedBy) {
    test(`is verified by ${name}`, async () => {
      const steps = codeSteps(open())
      let now = NOW
      for (const [by, outcome] of sends) {
        const parts = { ...steps.parts, channel: by }
        steps.next(outcome)
        if (now === NOW) {
          const number = { phone: PHONE, choices: 1 }
          await issueChallenge(parts, basicSession(), number, undefined, now)
        } else await resend({ ...steps, parts }, now)
        now += 60 * SECOND
      }
      const { code } = (await stored(steps, now)).challenge
      const verified = await steps.verify(basicSession(), code, now)
      assert.equal(verified.kind === 'verified' && verified.channel, channel)
    })
  }

  test('a message that is still on its way when its code is used brings the code to no new life', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    const answer = Promise.withResolvers<SendOutcome>()
    steps.next(answer.promise)
    const now = NOW + 30 * SECOND
    const sending = resend(steps, now)
    while (steps.sent.length < 2) await new Promise(setImmediate)
    assert.equal((await steps.verify(basicSession(), steps.lastCode(), now)).kind, 'verified')
    answer.resolve({ kind: 'sent', id: 'SM2' })
    await sending
    assert.equal(await readChallenge(steps.parts, basicSession(), now), undefined)
    assert.equal((await steps.verify(basicSession(), steps.lastCode(), now)).kind, 'none')
  })
})
