import type { AuditEvent, AuditFields, Log } from '../log.ts'
import type { Channel } from '../sms/sender.ts'
import type { Meter } from './meter.ts'

/** The log, with a meter that counts what happens to people as it is written down. */
export function countEvents(log: Log, meter: Meter | undefined): Log {
  if (meter === undefined) return log
  return {
    ...log,
    audit(event, fields) {
      log.audit(event, fields)
      countEvent(meter, event, fields)
    },
  }
}

function countEvent<Event extends AuditEvent>(
  meter: Meter,
  event: Event,
  fields: AuditFields<Event>,
): void {
  const count: Count<Event> = COUNTS[event]
  count(meter, fields)
}

type Count<Event extends AuditEvent> = (meter: Meter, fields: AuditFields<Event>) => void

/** What each event counts as. */
const COUNTS: { readonly [Event in AuditEvent]: Count<Event> } = {
  'sign_in.succeeded': (meter) => meter.count('stepgate_sign_ins_total', { outcome: 'succeeded' }),
  'sign_in.failed': (meter, { reason }) =>
    meter.count('stepgate_sign_ins_total', { outcome: reason }),
  'step_up.required': (meter) => meter.count('stepgate_step_ups_required_total', {}),
  'otp.sent': (meter, { code }) => {
    if (code === 'new') meter.count('stepgate_challenges_total', {})
  },
  'otp.send_failed': (meter, fields) => {
    if (fields.code === 'new') meter.count('stepgate_challenges_total', {})
    if (fields.limit === undefined) return
    const { limit, channel } = fields
    meter.count('stepgate_limits_hit_total', { limit, channel })
  },
  'otp.delivered': (meter, { channel }) =>
    meter.count('stepgate_deliveries_total', { channel, outcome: 'delivered' }),
  'otp.undelivered': (meter, { channel, reason }) =>
    meter.count('stepgate_deliveries_total', { channel, outcome: reason }),
  'otp.verified': (meter, { channel, seconds_since_send: seconds }) => {
    meter.count('stepgate_verifications_total', { outcome: 'right' })
    meter.observe('stepgate_send_to_verification_seconds', { channel }, seconds)
  },
  'otp.wrong': (meter) => meter.count('stepgate_verifications_total', { outcome: 'wrong' }),
  'otp.expired': (meter, { reason }) =>
    meter.count('stepgate_verifications_total', { outcome: reason }),
  'otp.locked': (meter, { kind, began }) => {
    if (began) meter.count('stepgate_locks_total', { kind })
    else meter.count('stepgate_verifications_total', { outcome: kind })
  },
  'session.ended': (meter, { reason }) => meter.count('stepgate_sessions_ended_total', { reason }),
  'sms.budget_warning': alarm('budget_warning', 'sms'),
  'sms.budget_spent': alarm('budget_spent', 'sms'),
  'sms.pumping_suspected': alarm('pumping_suspected', 'sms'),
  'voice.budget_warning': alarm('budget_warning', 'call'),
  'voice.budget_spent': alarm('budget_spent', 'call'),
  'sms.circuit_opened': circuit('sms', 1),
  'sms.circuit_closed': circuit('sms', 0),
  'voice.circuit_opened': circuit('call', 1),
  'voice.circuit_closed': circuit('call', 0),
  // It is in the decisions that requests are counted by.
  'request.denied': () => {},
  'form.kept': () => {},
  'form.sent_on': () => {},
  // Of people, not of their connections, is what is counted here.
  'websocket.closed': () => {},
  'request.cut': () => {},
  // Only the command line does it.
  'otp.unlocked': () => {},
}

function alarm(kind: 'budget_warning' | 'budget_spent' | 'pumping_suspected', channel: Channel) {
  return (meter: Meter) => meter.count('stepgate_alarms_total', { alarm: kind, channel })
}

function circuit(channel: Channel, open: 0 | 1) {
  return (meter: Meter) => meter.set('stepgate_circuit_open', { channel }, open)
}
