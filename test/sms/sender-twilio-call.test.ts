import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import type { TwilioStandIn } from '../../demo/twilio-api.ts'
import type { Config } from '../../proxy/config/config.ts'
import { createTwilioSender } from '../../proxy/sms/sender-twilio.ts'
import { serveTwilio, TWILIO } from '../support/twilio-server.ts'

const NUMBER = '+493012345678'
const CALLER = '+4930123456'
const call = { to: NUMBER, language: 'de-DE', sentences: ['Hier ist Acme.', '4, 2, 4, 2, 4, 2.'] }

async function start(t: TestContext, setup: Partial<Config['twilio']> = {}, timeout = 10_000) {
  const { standIn, apiUrl } = await serveTwilio(t)
  const from = { kind: 'service', sid: TWILIO.service } as const
  const twilio = { accountSid: TWILIO.accountSid, from, voiceFrom: CALLER, apiUrl, ...setup }
  return { standIn, sender: createTwilioSender(twilio, TWILIO.authToken, { timeout }) }
}

test('calls from the caller with all that is said in the request', async (t) => {
  const { standIn, sender } = await start(t)
  const outcome = await sender.call(call)
  assert.match(outcome.kind === 'sent' ? outcome.id : '', /^CA[0-9a-f]{32}$/)
  assert.deepEqual(standIn.messages(), [
    {
      to: NUMBER,
      from: CALLER,
      body: 'Hier ist Acme. 4, 2, 4, 2, 4, 2.',
      channel: 'call',
      sentAt: '2026-11-24T07:00:00.000Z',
    },
  ])
  const [request] = standIn.received()
  assert.equal(request?.path, `/2010-04-01/Accounts/${TWILIO.accountSid}/Calls.json`)
  assert.deepEqual(request?.form, {
    To: NUMBER,
    From: CALLER,
    Timeout: '20',
    TimeLimit: '120',
    Twiml:
      '<?xml version="1.0" encoding="UTF-8"?><Response><Pause length="1"/>' +
      '<Say language="de-DE">Hier ist Acme.</Say><Pause length="1"/>' +
      '<Say language="de-DE">4, 2, 4, 2, 4, 2.</Say><Pause length="1"/></Response>',
  })
})

test('nothing that is said can become a verb or an attribute', async (t) => {
  const { standIn, sender } = await start(t)
  const evil = `A & B</Say><Dial>+4990012345</Dial><Say x="'`
  await sender.call({ ...call, language: 'de-DE"><Dial>1</Dial>', sentences: [evil] })
  const twiml = standIn.received()[0]?.form.Twiml ?? ''
  assert.doesNotMatch(twiml, /<Dial/)
  assert.deepEqual(twiml.match(/<\/?\w+/g), [
    '<Response',
    '<Pause',
    '<Say',
    '</Say',
    '<Pause',
    '</Response',
  ])
  assert.equal(standIn.messages()[0]?.body, evil)
})

const testNumbers: [string, string, number][] = [
  ['+15005550001', 'not_a_number', 21217],
  ['+15005550002', 'not_routable', 21214],
  ['+15005550003', 'country_not_enabled', 21215],
  ['+15005550004', 'blocked', 21216],
]
for (const [to, reason, code] of testNumbers) {
  test(`Twilio's test number ${to} is not called: ${reason}`, async (t) => {
    const { sender } = await start(t)
    assert.deepEqual(await sender.call({ ...call, to }), { kind: 'refused', reason, code })
  })
}

test('a caller that is not verified, and none at all, are for the operator', async (t) => {
  const reason = 'sender_not_registered'
  const foreign = await start(t, { voiceFrom: '+15005550007' })
  const failed = { kind: 'failed', reason, code: 21210, status: 400 }
  assert.deepEqual(await foreign.sender.call(call), failed)
  const { standIn, apiUrl } = await serveTwilio(t)
  const from = { kind: 'number', number: TWILIO.from } as const
  const none = createTwilioSender({ accountSid: TWILIO.accountSid, from, apiUrl }, TWILIO.authToken)
  assert.deepEqual(await none.call(call), { kind: 'failed', reason })
  assert.deepEqual(standIn.received(), [])
})

test('a call that was over at once is not called a success', async (t) => {
  const { standIn, sender } = await start(t)
  const sid = `CA${'e'.repeat(32)}`
  standIn.script({ kind: 'raw', status: 201, body: JSON.stringify({ sid, status: 'busy' }) })
  assert.deepEqual(await sender.call(call), { kind: 'refused', reason: 'not_answered' })
})

const unclear: [string, Parameters<TwilioStandIn['script']>[0]][] = [
  ['HTTP 500', { kind: 'error', status: 500, code: 20500 }],
  ['a reset', { kind: 'reset' }],
  ['silence', { kind: 'hang' }],
  ['201 with a message', { kind: 'raw', status: 201, body: `{"sid":"SM${'e'.repeat(32)}"}` }],
  ['200 that echoes', { kind: 'raw', status: 200, body: `"${NUMBER} 424242"` }],
]
for (const [name, script] of unclear) {
  test(`${name} is unavailable, asked once, and says nothing private`, async (t) => {
    const { standIn, sender } = await start(t, {}, 300)
    standIn.script(script)
    const outcome = await sender.call(call)
    assert.equal('reason' in outcome && outcome.reason, 'unavailable')
    assert.equal(standIn.received().length, 1)
    const text = inspect(outcome, { depth: null, showHidden: true })
    for (const canary of [NUMBER.slice(1), '4, 2', '424242', TWILIO.authToken]) {
      assert.ok(!text.includes(canary), text)
    }
  })
}
