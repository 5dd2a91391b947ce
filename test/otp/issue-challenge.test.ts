import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readChallenge } from '../../proxy/otp/challenge-record.ts'
import { resendAt } from '../../proxy/otp/send-code.ts'
import { NOW } from '../session/session-sample.ts'
import { basicSession, codeSteps, overStores, PHONE, SECOND, TTL, windowsOf } from './otp-parts.ts'

overStores('issuing a code', (open) => {
  test('sends one message to the number, and keeps the code sealed', async () => {
    const steps = codeSteps(open())
    const issued = await steps.issue(basicSession(), NOW)
    assert.equal(issued.kind, 'sent')
    assert.deepEqual(steps.sent, [{ to: PHONE, body: steps.lastCode(), validForSeconds: 300 }])
    const stored = await readChallenge(steps.parts, basicSession(), NOW)
    assert.equal(stored?.challenge.code, steps.lastCode())
    assert.equal(stored?.newest, true)
    assert.doesNotMatch(stored?.sealed ?? '', new RegExp(steps.lastCode()))
  })

  test('of twenty calls at once one sends, and the others see its challenge', async () => {
    const steps = codeSteps(open())
    const calls = Array.from({ length: 20 }, () => steps.issue(basicSession(), NOW))
    const kinds = (await Promise.all(calls)).map(({ kind }) => kind)
    assert.deepEqual(kinds.sort(), [...Array(19).fill('present'), 'sent'])
    assert.equal(steps.sent.length, 1)
  })

  test('a call that comes late with an old view sees the challenge instead of a wait', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    const late = await steps.issue(basicSession(), NOW + 1, undefined)
    assert.equal(late.kind, 'present')
    assert.equal(late.kind === 'present' && late.challenge.code, steps.lastCode())
    assert.equal(steps.sent.length, 1)
  })

  test('before the wait is over a new code is neither made nor sent', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    const first = await readChallenge(steps.parts, basicSession(), NOW)
    const early = await steps.issue(basicSession(), NOW + 30 * SECOND - 1, first)
    assert.deepEqual(early, { kind: 'wait', until: NOW + 30 * SECOND })
    const after = await readChallenge(steps.parts, basicSession(), NOW)
    assert.equal(after?.challenge.id, first?.challenge.id)
    assert.equal((await steps.issue(basicSession(), NOW + 30 * SECOND, first)).kind, 'sent')
    assert.equal(steps.sent.length, 2)
  })

  test('at a send limit nothing is sent, and the code before goes on living', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    const code = steps.lastCode()
    const later = NOW + 60 * SECOND
    const [person] = windowsOf('person')
    assert.ok(person)
    while ((await steps.parts.store.count([person], NOW)).kind === 'counted');
    const previous = await readChallenge(steps.parts, basicSession(), later)
    const limited = await steps.issue(basicSession(), later, previous)
    assert.deepEqual(limited, {
      kind: 'limited',
      by: 'person',
      retryAt: NOW + 15 * 60 * SECOND,
    })
    assert.equal(steps.sent.length, 1)
    assert.equal((await steps.verify(basicSession(), code, later)).kind, 'verified')
  })

  test('at a send limit a first code leaves nothing behind, not even a wait', async () => {
    const steps = codeSteps(open())
    const [number] = windowsOf('number')
    assert.ok(number)
    while ((await steps.parts.store.count([number], NOW)).kind === 'counted');
    assert.equal((await steps.issue(basicSession(), NOW)).kind, 'limited')
    assert.equal(await readChallenge(steps.parts, basicSession(), NOW), undefined)
    const to = { subject: 'subject-1', family: 'family-id', phone: PHONE }
    assert.equal(await resendAt(steps.parts, to, NOW), 0)
    const free = NOW + 15 * 60 * SECOND
    assert.equal((await steps.issue(basicSession(), free)).kind, 'sent')
  })

  test('messages are limited for a person, whatever the session, and for a number, whoever asks', async () => {
    const steps = codeSteps(open())
    const sendTo = async (subject: string, family: string, phone: string) =>
      (await steps.issue(basicSession({ subject, family }), NOW, undefined, phone)).kind
    for (let n = 0; n < 10; n++)
      assert.equal(await sendTo('one', `f${n}`, `+49151000000${n}`), 'sent')
    assert.equal(await sendTo('one', 'another', '+4915111111111'), 'limited')
    for (let n = 0; n < 10; n++) assert.equal(await sendTo(`s${n}`, 'f', PHONE), 'sent')
    assert.equal(await sendTo('another', 'f', PHONE), 'limited')
    assert.equal(await sendTo('another', 'f', '+4915122222222'), 'sent')
  })

  test('messages are limited for an address', async () => {
    const steps = codeSteps(open())
    const windows = windowsOf('address')
    for (let n = 0; n < 299; n++) await steps.parts.store.count(windows, NOW)
    assert.equal((await steps.issue(basicSession(), NOW)).kind, 'sent')
    const other = basicSession({ subject: 'another' })
    assert.equal((await steps.issue(other, NOW, undefined, '+4915122222222')).kind, 'limited')
  })

  test('what another person or session was sent is not there to be read', async () => {
    const steps = codeSteps(open())
    await steps.issue(basicSession(), NOW)
    const read = (session: ReturnType<typeof basicSession>, now = NOW) =>
      readChallenge(steps.parts, session, now)
    assert.equal(await read(basicSession({ family: 'another' })), undefined)
    assert.equal(await read(basicSession({ subject: 'another' })), undefined)
    assert.ok(await read(basicSession({ id: 'another id' })))
    assert.ok(await read(basicSession(), NOW + TTL + 15 * 60 * SECOND - 1))
    assert.equal(await read(basicSession(), NOW + TTL + 15 * 60 * SECOND), undefined)
  })

  test('a challenge that was put under another person’s key, or for another purpose, is none', async () => {
    const { parts } = codeSteps(open())
    const { keyOf } = await import('../../proxy/store/key-of.ts')
    const put = async (changes: object) => {
      const delivery = { kind: 'sent', id: 'SM1', at: NOW, channel: 'sms' }
      const about = { subject: 'subject-1', family: 'family-id', purpose: 'step-up' }
      const challenge = { id: 'c', ...about, delivery }
      const sealed = await parts.sealer.seal(
        'challenge',
        { ...challenge, ...changes },
        NOW + TTL,
        NOW,
      )
      await parts.store.put(keyOf('challenge', 'subject-1', 'family-id'), sealed, NOW + TTL)
      return readChallenge(parts, basicSession(), NOW)
    }
    assert.ok(await put({}))
    assert.equal(await put({ subject: 'another' }), undefined)
    assert.equal(await put({ family: 'another' }), undefined)
    assert.equal(await put({ purpose: 'enrol' }), undefined)
  })
})
