import assert from 'node:assert/strict'
import { test } from 'node:test'
import { measureSender } from '../../proxy/metrics/measure-sender.ts'
import type { Sender, SendOutcome } from '../../proxy/sms/sender.ts'
import { keepMeter } from './keep-meter.ts'

const SENT: SendOutcome = { kind: 'sent', id: 'SM1' }

function senderOf(outcome: SendOutcome): Sender {
  return {
    send: async () => outcome,
    call: async () => outcome,
    check: async () => ({ kind: 'ok', detail: 'checked' }),
  }
}

const sms = (to: string) => ({ to, body: 'code 123456', validForSeconds: 300 })
const call = (to: string) => ({ to, language: 'en-US', sentences: ['1, 2, 3'] })

test('messages and calls are counted by channel, country and outcome', async () => {
  const { meter, lines } = keepMeter()
  const cases: readonly [SendOutcome, 'send' | 'call', string][] = [
    [SENT, 'send', '+4915228817386'],
    [SENT, 'call', '+436641234567'],
    [{ kind: 'refused', reason: 'opted_out', code: 21610 }, 'send', '+12025550123'],
    [{ kind: 'paused', reason: 'credentials', until: 9 }, 'send', '+12025550123'],
    [{ kind: 'failed', reason: 'unavailable', network: 'ECONNRESET' }, 'call', '+14165550123'],
  ]
  for (const [outcome, how, to] of cases) {
    const sender = measureSender(senderOf(outcome), meter)
    const answer = how === 'send' ? await sender.send(sms(to)) : await sender.call(call(to))
    assert.equal(answer, outcome)
  }
  assert.deepEqual(lines, [
    'stepgate_sends_total sms DE sent',
    'stepgate_sends_total call AT sent',
    'stepgate_sends_total sms US opted_out',
    'stepgate_sends_total sms US paused',
    'stepgate_sends_total call CA unavailable',
  ])
})

test('a number of no country, or one that is none, is of an unknown one', async () => {
  const { meter, lines } = keepMeter()
  const sender = measureSender(senderOf(SENT), meter)
  for (const to of ['+80012345678', '+999123', 'canary']) await sender.send(sms(to))
  assert.deepEqual(lines, Array(3).fill('stepgate_sends_total sms unknown sent'))
})

test('a send that is held back is counted when that is asked, and one that is not only when it goes', () => {
  const { meter, lines } = keepMeter()
  const paused = { kind: 'paused', reason: 'unavailable', until: 9 } as const
  const held = (channel: string) => (channel === 'call' ? paused : undefined)
  const sender = measureSender({ ...senderOf(SENT), paused: held }, meter)
  assert.equal(sender.paused?.('call', '+436641234567'), paused)
  assert.equal(sender.paused?.('sms', '+436641234567'), undefined)
  assert.deepEqual(lines, ['stepgate_sends_total call AT paused'])
})

test('without a meter it is the sender itself, and a check counts nothing', async () => {
  const sender = senderOf(SENT)
  assert.equal(measureSender(sender, undefined), sender)
  const { meter, lines } = keepMeter()
  assert.equal((await measureSender(sender, meter).check()).kind, 'ok')
  assert.deepEqual(lines, [])
})
