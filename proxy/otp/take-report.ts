import type { Context } from '../context.ts'
import { type DeliveryReport, readReport, undeliveredReason } from '../sms/delivery-report.ts'
import { readChallenge } from './challenge-record.ts'
import { addReport, type MessageOwner, readOwner } from './delivery-record.ts'

/**
 * Takes what Twilio reports of a message. It has authority over nothing but the delivery that the
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
  if (report.state !== 'failed') {
    log.audit('otp.delivered', { request_id, subject, message })
    return
  }
  const { errorCode: error_code } = report
  const reason = undeliveredReason(error_code)
  log.audit('otp.undelivered', { request_id, subject, message, reason, error_code })
  if (reason === 'filtered' || reason === 'fault') {
    log.error(OPERATOR_HINTS[reason], { request_id, error_code })
  }
}

const OPERATOR_HINTS = {
  filtered:
    'Twilio SMS. Carriers filter this sender or it is not registered: look up error_code at Twilio',
  fault: 'Twilio SMS. The Twilio account may not send: look at its balance and notices',
} as const
