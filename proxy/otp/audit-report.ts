import type { Log } from '../log.ts'
import type { DeliveryReport } from '../sms/delivery-report.ts'
import type { Channel } from '../sms/sender.ts'
import { isCallSid } from '../sms/sid.ts'
import type { MessageOwner } from './delivery-record.ts'

/** Logs how a message or call ended, as Twilio reported it; `message` is its sid. */
export function auditReport(
  log: Log,
  { subject }: MessageOwner,
  message: string,
  report: DeliveryReport,
  request_id: string,
): void {
  const channel: Channel = isCallSid(message) ? 'call' : 'sms'
  const fields = { request_id, subject, channel, message }
  if (report.state !== 'failed') {
    log.audit('otp.delivered', fields)
    return
  }
  const { reason, errorCode: error_code } = report
  log.audit('otp.undelivered', { ...fields, reason, error_code })
  if (reason === 'filtered' || reason === 'fault') {
    log.error(OPERATOR_HINTS[reason], { request_id, error_code })
  }
}

const OPERATOR_HINTS = {
  filtered:
    'Twilio SMS. Carriers filter this sender or it is not registered: look up error_code at Twilio',
  fault: 'Twilio SMS. The Twilio account may not send: look at its balance and notices',
} as const
