import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outcomeOf } from '../../proxy/sms/outcome.ts'
import type { Channel, Sender, SendOutcome } from '../../proxy/sms/sender.ts'
import { createFallbackSender, type FallbackUse, mayMend } from '../../proxy/sms/sender-fallback.ts'

const message = { to: '+4915112345678', body: 'Hello', validForSeconds: 300 }

const MENDS: readonly (readonly [number | undefined, number | undefined, boolean])[] = [
  // The sender, or this sender to this number.
  [21612, 400, true],
  [21212, 400, true],
  [21601, 400, true],
  [21606, 400, true],
  [21659, 400, true],
  [21660, 400, true],
  [21661, 400, true],
  [21703, 400, true],
  [21704, 400, true],
  [21705, 400, true],
  [30032, undefined, true],
  [30034, undefined, true],
  // No room with this sender.
  [21611, 429, true],
  [30001, undefined, true],
  // The number, the person or the message.
  [21211, 400, false],
  [21614, 400, false],
  [21408, 403, false],
  [21610, 400, false],
  [21617, 400, false],
  [30004, undefined, false],
  [30006, undefined, false],
  [30007, undefined, false],
  [30450, undefined, false],
  // The account.
  [20429, 429, false],
  [undefined, 429, false],
  [20003, 401, false],
  [20404, 404, false],
  [21608, 400, false],
  [undefined, 403, false],
  // Nobody knows whether it was taken.
  [undefined, undefined, false],
  [undefined, 200, false],
  [undefined, 500, false],
  [20500, 500, false],
  [20503, 503, false],
  [30003, undefined, false],
  [30008, undefined, false],
  // Unforeseen.
  [29999, 400, false],
]
for (const [code, status, mends] of MENDS) {
  test(`${code ?? 'no code'} with HTTP ${status ?? '–'} is ${mends ? '' : 'not '}tried with another sender`, () => {
    const failure = { ...(code && { code }), ...(status && { status }) }
    assert.equal(mayMend(outcomeOf(failure)), mends)
  })
}

test('what was sent or held back is not tried with another sender', () => {
  assert.equal(mayMend({ kind: 'sent', id: 'SM' }), false)
  assert.equal(mayMend({ kind: 'paused', reason: 'unavailable', until: 1 }), false)
})

const sender = (outcome: SendOutcome) => {
  let asked = 0
  const answer = async () => {
    asked++
    return outcome
  }
  const made: Sender = {
    send: answer,
    call: answer,
    check: async () => ({ kind: 'ok', detail: '' }),
  }
  return { made, asked: () => asked }
}
const NOT_ROUTABLE = outcomeOf({ code: 21612, status: 400 })
const SENT: SendOutcome = { kind: 'sent', id: 'SM' }
const UNKNOWN = outcomeOf({})

const call = { to: message.to, language: 'en-US', sentences: ['Hello'] }

async function ended(one: SendOutcome, other: SendOutcome, channel: Channel = 'sms') {
  const [primary, secondary] = [sender(one), sender(other)]
  const uses: FallbackUse[] = []
  const both = createFallbackSender(primary.made, secondary.made, (use) => uses.push(use))
  const outcome = await (channel === 'sms' ? both.send(message) : both.call(call))
  return { outcome, asked: [primary.asked(), secondary.asked()], uses }
}

test('what the second sender got out is sent', async () => {
  assert.deepEqual(await ended(NOT_ROUTABLE, SENT), {
    outcome: SENT,
    asked: [1, 1],
    uses: [{ channel: 'sms', reason: 'not_routable', code: 21612, end: 'sent' }],
  })
})

test('when the second is refused too, the first reason is told', async () => {
  for (const other of [outcomeOf({ code: 21610 }), outcomeOf({ code: 21606, status: 400 })]) {
    assert.deepEqual((await ended(NOT_ROUTABLE, other)).outcome, NOT_ROUTABLE)
  }
})

test('when nobody knows what became of the second, that is told', async () => {
  const { outcome, uses } = await ended(NOT_ROUTABLE, UNKNOWN)
  assert.deepEqual(outcome, UNKNOWN)
  assert.deepEqual(uses, [
    { channel: 'sms', reason: 'not_routable', code: 21612, end: 'unavailable' },
  ])
})

test('after an unknown end of the first the second is not asked', async () => {
  assert.deepEqual(await ended(UNKNOWN, SENT), { outcome: UNKNOWN, asked: [1, 0], uses: [] })
})

test('a call is tried from the second number in the same way', async () => {
  const first = outcomeOf({ code: 21210, status: 400 })
  assert.deepEqual(await ended(first, SENT, 'call'), {
    outcome: SENT,
    asked: [1, 1],
    uses: [{ channel: 'call', reason: 'sender_not_registered', code: 21210, end: 'sent' }],
  })
  assert.deepEqual((await ended(UNKNOWN, SENT, 'call')).asked, [1, 0])
})
