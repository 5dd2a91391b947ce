import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEvent, AuditFields, Log } from '../../proxy/log.ts'
import { countEvents } from '../../proxy/metrics/count-events.ts'
import { keepMeter } from './keep-meter.ts'

function keepLog() {
  const written: [string, object][] = []
  const log = { audit: (event: string, fields: object) => void written.push([event, fields]) }
  return { log: log as unknown as Log, written }
}

/** Who it happened to must not be in what is counted. */
const PERSON = { request_id: 'canary-request', subject: 'canary-subject', client: '192.0.2.77' }

function counted<Event extends AuditEvent>(event: Event, fields: AuditFields<Event>): string[] {
  const { meter, lines } = keepMeter()
  countEvents(keepLog().log, meter).audit(event, { ...PERSON, ...fields })
  return lines
}

test('an event is written as it was', () => {
  const { log, written } = keepLog()
  countEvents(log, keepMeter().meter).audit('otp.wrong', PERSON)
  assert.deepEqual(written, [['otp.wrong', PERSON]])
})

test('without a meter it is the log itself', () => {
  const { log } = keepLog()
  assert.equal(countEvents(log, undefined), log)
})

test('sign-ins are counted by how they ended', () => {
  assert.deepEqual(counted('sign_in.succeeded', {}), ['stepgate_sign_ins_total succeeded'])
  assert.deepEqual(counted('sign_in.failed', { reason: 'expired' }), [
    'stepgate_sign_ins_total expired',
  ])
  assert.deepEqual(counted('session.ended', { reason: 'sign_out' }), [
    'stepgate_sessions_ended_total sign_out',
  ])
})

test('a new code is a challenge, whether or not it could be sent; one that is sent again is none', () => {
  assert.deepEqual(counted('step_up.required', {}), ['stepgate_step_ups_required_total'])
  assert.deepEqual(counted('otp.sent', { code: 'new' }), ['stepgate_challenges_total'])
  assert.deepEqual(counted('otp.send_failed', { code: 'new', reason: 'unavailable' }), [
    'stepgate_challenges_total',
  ])
  assert.deepEqual(counted('otp.sent', { code: 'again' }), [])
  assert.deepEqual(counted('otp.send_failed', { code: 'again', reason: 'unavailable' }), [])
  assert.deepEqual(counted('otp.send_failed', { reason: 'no_number' }), [])
})

test('a limit that refuses is counted, and makes no challenge', () => {
  assert.deepEqual(counted('otp.send_failed', { limit: 'prefix', channel: 'call' }), [
    'stepgate_limits_hit_total prefix call',
  ])
})

test('each answer to a code is counted once', () => {
  assert.deepEqual(counted('otp.verified', { channel: 'call', seconds_since_send: 9 }), [
    'stepgate_verifications_total right',
    'stepgate_send_to_verification_seconds call 9',
  ])
  assert.deepEqual(counted('otp.wrong', {}), ['stepgate_verifications_total wrong'])
  assert.deepEqual(counted('otp.expired', { reason: 'used-up' }), [
    'stepgate_verifications_total used-up',
  ])
  // The guess that began it was wrong, and is counted as that.
  assert.deepEqual(counted('otp.locked', { kind: 'wait', began: true }), [
    'stepgate_locks_total wait',
  ])
  assert.deepEqual(counted('otp.locked', { kind: 'locked', began: false }), [
    'stepgate_verifications_total locked',
  ])
})

test('what Twilio reports is counted by how it ended', () => {
  assert.deepEqual(counted('otp.delivered', { channel: 'sms' }), [
    'stepgate_deliveries_total sms delivered',
  ])
  assert.deepEqual(counted('otp.undelivered', { channel: 'call', reason: 'not_answered' }), [
    'stepgate_deliveries_total call not_answered',
  ])
})

test('a circuit is open until it is closed', () => {
  const events = [
    'sms.circuit_opened',
    'voice.circuit_opened',
    'sms.circuit_closed',
    'voice.circuit_closed',
  ] as const
  assert.deepEqual(
    events.flatMap((event) => counted(event, {})),
    [
      'stepgate_circuit_open sms 1',
      'stepgate_circuit_open call 1',
      'stepgate_circuit_open sms 0',
      'stepgate_circuit_open call 0',
    ],
  )
})

test('alarms are counted by kind and channel', () => {
  const events = [
    'sms.budget_warning',
    'sms.budget_spent',
    'sms.pumping_suspected',
    'voice.budget_warning',
    'voice.budget_spent',
  ] as const
  assert.deepEqual(
    events.flatMap((event) => counted(event, {})),
    [
      'stepgate_alarms_total budget_warning sms',
      'stepgate_alarms_total budget_spent sms',
      'stepgate_alarms_total pumping_suspected sms',
      'stepgate_alarms_total budget_warning call',
      'stepgate_alarms_total budget_spent call',
    ],
  )
})
