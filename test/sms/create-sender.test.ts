import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../../proxy/log.ts'
import { createTwilioSenders, withCircuit } from '../../proxy/sms/create-sender.ts'
import type { Sender, SendOutcome } from '../../proxy/sms/sender.ts'
import { serveTwilio, TWILIO } from '../support/twilio-server.ts'

const message = { to: '+4915112345678', body: 'Hello', validForSeconds: 300 }
const call = { to: message.to, language: 'en-US', sentences: ['Hello'] }

function keepLines() {
  const lines: string[] = []
  const write = (line: string) => void lines.push(line)
  return { lines, log: createLog({ level: 'warn', access: false }, { write }) }
}

const outcome: SendOutcome = { kind: 'failed', reason: 'credentials', code: 20003, status: 401 }
const refused: Sender = {
  send: async () => outcome,
  call: async () => outcome,
  check: async () => ({ kind: 'problem', detail: '' }),
}

const alarms: [string, { apiKeySid?: string }, readonly string[]][] = [
  ['the token', {}, ['STEPGATE_TWILIO_SID', 'STEPGATE_TWILIO_TOKEN']],
  [
    'the API key',
    { apiKeySid: `SK${'0c'.repeat(16)}` },
    ['STEPGATE_TWILIO_SID', 'STEPGATE_TWILIO_API_KEY_SID', 'STEPGATE_TWILIO_API_KEY_SECRET'],
  ],
]
for (const [name, twilio, variables] of alarms) {
  test(`credentials that Twilio refuses: the operator is told of ${name} that is used`, async () => {
    const { lines, log } = keepLines()
    const sender = withCircuit(refused, twilio, { clock: () => 0, log })
    await sender.send(message)
    await sender.call(call)
    const told = lines.filter((line) => line.includes('refuses the credentials'))
    assert.equal(told.length, 2)
    for (const line of told) assert.deepEqual(line.match(/STEPGATE_\w+/g), variables)
  })
}

const INVALID_CALLBACK = { kind: 'error', status: 400, code: 21609 } as const
const FULL = { kind: 'error', status: 429, code: 21611 } as const

test('an address for reports that Twilio refuses costs no send, and is offered no more', async (t) => {
  const { standIn, apiUrl } = await serveTwilio(t)
  const { lines, log } = keepLines()
  const statusCallback = new URL('https://app.example.com/_stepgate/twilio/status')
  const config = {
    accountSid: TWILIO.accountSid,
    from: { kind: 'number', number: TWILIO.from },
    fallbackFrom: { kind: 'number', number: '+4930123457' },
    voiceFrom: TWILIO.from,
    apiUrl,
    statusCallback,
  } as const
  const sender = createTwilioSenders(config, TWILIO.authToken, log)
  const asked = () => standIn.received().map(({ form }) => form.StatusCallback ?? '')

  assert.equal((await sender.send(message)).kind, 'sent')
  assert.deepEqual(asked(), [statusCallback.href])
  standIn.script(INVALID_CALLBACK)
  assert.equal((await sender.send(message)).kind, 'sent')
  assert.deepEqual(asked().slice(1), [statusCallback.href, ''])

  standIn.script(FULL)
  assert.equal((await sender.send(message)).kind, 'sent')
  assert.equal((await sender.call(call)).kind, 'sent')
  assert.deepEqual(asked().slice(3), ['', '', ''])
  assert.equal(standIn.messages().length, 4)
  const told = lines.filter((line) => line.includes('STEPGATE_PUBLIC_URL'))
  assert.equal(told.length, 1)
})

test('without an address for reports that error is sent no second time', async (t) => {
  const { standIn, apiUrl } = await serveTwilio(t)
  const { lines, log } = keepLines()
  const from = { kind: 'number', number: TWILIO.from } as const
  const config = { accountSid: TWILIO.accountSid, from, apiUrl }
  standIn.script(INVALID_CALLBACK)
  const outcome = await createTwilioSenders(config, TWILIO.authToken, log).send(message)
  assert.equal(outcome.kind === 'failed' && outcome.reason, 'rejected')
  assert.equal(standIn.received().length, 1)
  assert.deepEqual(lines, [])
})
