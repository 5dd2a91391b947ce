import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../../proxy/log.ts'
import { withCircuit } from '../../proxy/sms/create-sender.ts'
import type { Sender, SendOutcome } from '../../proxy/sms/sender.ts'

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
    const lines: string[] = []
    const write = (line: string) => void lines.push(line)
    const log = createLog({ level: 'error', access: false }, { write })
    const sender = withCircuit(refused, twilio, { clock: () => 0, log })
    await sender.send({ to: '+4915112345678', body: 'Hello', validForSeconds: 300 })
    await sender.call({ to: '+4915112345678', language: 'en-US', sentences: [] })
    const told = lines.filter((line) => line.includes('refuses the credentials'))
    assert.equal(told.length, 2)
    for (const line of told) assert.deepEqual(line.match(/STEPGATE_\w+/g), variables)
  })
}
