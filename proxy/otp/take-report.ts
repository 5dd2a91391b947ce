import type { Context } from '../context.ts'
import { type DeliveryReport, readReport } from '../sms/delivery-report.ts'
import type { Channel } from '../sms/sender.ts'
import { isCallSid } from '../sms/sid.ts'
import { readChallenge } from './challenge-record.ts'
import { addReport, type MessageOwner, readOwner } from './delivery-record.ts'

/**
 * Takes what Twilio reports of a message or call. It has authority over nothing but the delivery that the
 * page shows; what comes after its code was used is ignored. Throws `StoreUnavailableError`.
 */
export async function takeReport(
  context: Context,
  fields: URLSearchParams,
  requestId: string,
): Promise<void> {
  const read = readReport(fields)
  if (read === undefined) return
  const { sid, report } = read
  const now = context.clock()
  const owner = await readOwner(context, sid, now)
  if (owner !== undefined && !(await isPresent(context, owner, now))) return
  const ended = await addReport(context.store, sid, report, owner, now)
  if (ended && owner !== undefined) audit(context, owner, sid, report, requestId)
}

async function isPresent(context: Context, owner: MessageOwner, now: number): Promise<boolean> {
  return (await readChallenge(context, owner, now))?.challenge.id === owner.id
}

function audit(
  { log }: Context,
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
