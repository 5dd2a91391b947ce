import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OPENS_AFTER, PAUSES } from '../../proxy/sms/circuit.ts'
import { outcomeOf } from '../../proxy/sms/outcome.ts'
import type { Sender, SendOutcome } from '../../proxy/sms/sender.ts'
import { type CircuitChange, createCircuitSender } from '../../proxy/sms/sender-circuit.ts'

const message = { to: '+4915112345678', body: 'Hello', validForSeconds: 300 }
const call = { to: message.to, language: 'en-US', sentences: ['Hello'] }
const toOthers = (n: number) => ({ to: `+49151123456${10 + n}` })
const sent: SendOutcome = { kind: 'sent', id: `SM${'0'.repeat(32)}` }
const down: SendOutcome = { kind: 'failed', reason: 'unavailable' }

function start() {
  let now = 1_000
  let next: () => Promise<SendOutcome> = async () => sent
  let asked = 0
  const changes: CircuitChange[] = []
  const inner: Sender = {
    send: () => {
      asked++
      return next()
    },
    call: () => {
      asked++
      return next()
    },
    check: async () => ({ kind: 'ok', detail: 'as before' }),
  }
  const sender = createCircuitSender(inner, {
    clock: () => now,
    onChange: (change) => changes.push(change),
  })
  return {
    sender,
    changes,
    asked: () => asked,
    answer: (outcome: SendOutcome) => {
      next = async () => outcome
    },
    answerBy: (by: () => Promise<SendOutcome>) => {
      next = by
    },
    turn: (ms: number) => {
      now += ms
    },
    fail: async () => {
      next = async () => down
      for (let n = 0; n < OPENS_AFTER.failures; n++)
        await sender.send({ ...message, ...toOthers(n) })
    },
  }
}

test('open, it answers at once with the time of the next try, and asks nobody', async () => {
  const { sender, fail, asked, answer } = start()
  await fail()
  answer(sent)
  assert.equal(sender.isOpen('sms'), true)
  const until = 1_000 + PAUSES.first
  assert.deepEqual(await sender.send(message), { kind: 'paused', reason: 'unavailable', until })
  assert.equal(asked(), OPENS_AFTER.failures)
})

test('after the pause one of many at once is tried, and its success lets all through', async () => {
  const { sender, fail, asked, turn, answerBy } = start()
  await fail()
  turn(PAUSES.first)
  const trial = Promise.withResolvers<SendOutcome>()
  answerBy(() => trial.promise)
  const first = sender.send(message)
  const others = await Promise.all(Array.from({ length: 20 }, () => sender.send(message)))
  assert.deepEqual([...new Set(others.map(({ kind }) => kind))], ['paused'])
  assert.equal(asked(), OPENS_AFTER.failures + 1)
  trial.resolve(sent)
  assert.deepEqual(await first, sent)
  assert.equal(sender.isOpen('sms'), false)
  assert.deepEqual(await sender.send(message), sent)
})

test('each opening and each closing is told once, however many sends and trials it takes', async () => {
  const { sender, fail, changes, turn, answer } = start()
  await fail()
  for (let n = 0; n < 10; n++) await sender.send(message)
  turn(PAUSES.first)
  await sender.send(message)
  turn(PAUSES.most)
  answer(sent)
  await sender.send(message)
  await sender.send(message)
  const until = 1_000 + PAUSES.first
  assert.deepEqual(changes, [
    { channel: 'sms', kind: 'opened', reason: 'unavailable', until, outcome: down },
    { channel: 'sms', kind: 'closed', since: 1_000, at: until + PAUSES.most },
  ])
})

test('wrong credentials stop everything, and everybody hears of them without being sent to Twilio', async () => {
  const { sender, changes, answer, asked } = start()
  const outcome = outcomeOf({ code: 20003, status: 401 })
  answer(outcome)
  await sender.send(message)
  answer(sent)
  const until = 1_000 + PAUSES.first
  assert.deepEqual(await sender.send(message), { kind: 'paused', reason: 'credentials', until })
  assert.equal(asked(), 1)
  assert.deepEqual(changes, [
    { channel: 'sms', kind: 'opened', reason: 'credentials', until, outcome },
  ])
})

test('a sender that throws counts as one that fails, and its trial ends', async () => {
  const { sender, answerBy, turn, answer } = start()
  answerBy(async () => {
    throw new Error('broken')
  })
  for (let n = 0; n < OPENS_AFTER.failures; n++) {
    await assert.rejects(sender.send({ ...message, ...toOthers(n) }))
  }
  assert.equal((await sender.send(message)).kind, 'paused')
  turn(PAUSES.first)
  await assert.rejects(sender.send(message))
  turn(2 * PAUSES.first)
  answer(sent)
  assert.deepEqual(await sender.send(message), sent)
})

test('a phone whose messages always fail does not hold up those of others', async () => {
  const { sender, answer, asked } = start()
  answer(down)
  for (let n = 0; n < 20; n++) await sender.send(message)
  for (let n = 0; n < 20; n++) await sender.call(call)
  assert.equal(asked(), 40)
  assert.deepEqual([sender.isOpen('sms'), sender.isOpen('call')], [false, false])
  answer(sent)
  assert.deepEqual(await sender.send({ ...message, ...toOthers(1) }), sent)
})

test('the check of the credentials passes whatever the circuit says', async () => {
  const { sender, fail } = start()
  await fail()
  assert.deepEqual(await sender.check(), { kind: 'ok', detail: 'as before' })
})

test('calls have a circuit of their own: where messages fail, people can still be called', async () => {
  const { sender, fail, answer, turn, changes } = start()
  await fail()
  answer(sent)
  assert.deepEqual(await sender.call(call), sent)
  assert.deepEqual([sender.isOpen('sms'), sender.isOpen('call')], [true, false])

  answer(down)
  for (let n = 0; n < OPENS_AFTER.failures; n++) {
    await sender.call({ ...call, ...toOthers(n) })
  }
  answer(sent)
  assert.equal((await sender.call(call)).kind, 'paused')
  turn(PAUSES.first)
  assert.deepEqual(await sender.send(message), sent)
  assert.deepEqual([sender.isOpen('sms'), sender.isOpen('call')], [false, true])
  assert.deepEqual(await sender.call(call), sent)
  assert.deepEqual(
    changes.map(({ channel, kind }) => `${channel} ${kind}`),
    ['sms opened', 'call opened', 'sms closed', 'call closed'],
  )
})

test('to ask whether it is held back tries nothing, counts nothing and takes nobody’s turn', async () => {
  const { sender, fail, asked, answer, turn } = start()
  assert.equal(sender.paused('sms', message.to), undefined)
  await fail()
  const until = 1_000 + PAUSES.first
  const paused = { kind: 'paused', reason: 'unavailable', until }
  assert.deepEqual(sender.paused('sms', message.to), paused)
  assert.equal(sender.paused('call', message.to), undefined)
  turn(PAUSES.first)
  for (let n = 0; n < 3; n++) assert.equal(sender.paused('sms', message.to), undefined)
  assert.equal(asked(), OPENS_AFTER.failures)
  answer(sent)
  assert.deepEqual(await sender.send(message), sent)
})
