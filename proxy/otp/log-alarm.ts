import type { Log, LogFields } from '../log.ts'
import type { SmsAlarm } from './sms-alarms.ts'

/** Writes an alarm as an event for dashboards and as a sentence for the operator. */
export function logAlarm(log: Log, alarm: SmsAlarm): void {
  const { event, fields, sentence } = describe(alarm)
  log.audit(event, fields)
  log.warn(sentence, fields)
}

function describe(alarm: SmsAlarm): {
  event: `sms.${SmsAlarm['kind']}`
  fields: LogFields
  sentence: string
} {
  const event = `sms.${alarm.kind}` as const
  switch (alarm.kind) {
    case 'budget_warning': {
      const { used, budget } = alarm
      const sentence =
        'SMS. 80 % of STEPGATE_SMS_BUDGET are used: nobody is sent more than it in a day'
      return { event, fields: { used, budget }, sentence }
    }
    case 'budget_spent': {
      const { budget, until } = alarm
      const sentence = 'SMS. STEPGATE_SMS_BUDGET is spent: nothing is sent until its day ends'
      return { event, fields: { budget, until: new Date(until).toISOString() }, sentence }
    }
    case 'pumping_suspected': {
      const { codes, verified } = alarm
      const sentence =
        'SMS. Few codes of the last hour were used: somebody is pumping messages, or they do not arrive'
      return { event, fields: { codes, verified }, sentence }
    }
  }
}
