import type { Log, LogFields } from '../log.ts'
import type { SmsAlarm } from './sms-alarms.ts'

/** Writes an alarm as an event for dashboards and as a sentence for the operator. */
export function logAlarm(log: Log, alarm: SmsAlarm): void {
  const { event, fields, sentence } = describe(alarm)
  log.audit(event, fields)
  log.warn(sentence, fields)
}

function describe(alarm: SmsAlarm): {
  event: `sms.${SmsAlarm['kind']}` | `voice.budget_${'warning' | 'spent'}`
  fields: LogFields
  sentence: string
} {
  switch (alarm.kind) {
    case 'budget_warning': {
      const { channel, used, budget } = alarm
      const { area, title, variable } = BUDGETS[channel]
      const event = `${area}.${alarm.kind}` as const
      const sentence = `${title}. 80 % of ${variable} are used: it is all there is in a day`
      return { event, fields: { used, budget }, sentence }
    }
    case 'budget_spent': {
      const { channel, budget, until } = alarm
      const { area, title, variable, spent } = BUDGETS[channel]
      const event = `${area}.${alarm.kind}` as const
      const sentence = `${title}. ${variable} is spent: ${spent} until its day ends`
      return { event, fields: { budget, until: new Date(until).toISOString() }, sentence }
    }
    case 'pumping_suspected': {
      const { codes, verified } = alarm
      const event = `sms.${alarm.kind}` as const
      const sentence =
        'SMS. Few codes of the last hour were used: somebody is pumping messages, or they do not arrive'
      return { event, fields: { codes, verified }, sentence }
    }
  }
}

const BUDGETS = {
  sms: {
    area: 'sms',
    title: 'SMS',
    variable: 'STEPGATE_SMS_BUDGET',
    spent: 'no message goes out',
  },
  call: {
    area: 'voice',
    title: 'Voice',
    variable: 'STEPGATE_VOICE_BUDGET',
    spent: 'nobody is called',
  },
} as const
