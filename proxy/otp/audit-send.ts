import { auditFields } from '../audit-fields.ts'
import type { CodeUse } from '../metrics/counted-fields.ts'
import type { Channel, FailedReason } from '../sms/sender.ts'
import type { Challenge } from './challenge.ts'
import type { Visit } from './visit.ts'

/**
 * Logs what became of a message or call; `error_code` is Twilio's, `status` that of HTTP, `network`
 * the network's own word (`ECONNRESET`) where no answer came. `code` says whether it was a new one.
 */
export function auditSend(visit: Visit, { delivery }: Challenge, code: CodeUse): void {
  const { log } = visit.context
  const fields = { ...auditFields(visit), channel: delivery.channel, code }
  if (delivery.kind === 'sending') return
  if (delivery.kind === 'sent') {
    log.audit('otp.sent', { ...fields, message: delivery.id })
    return
  }
  if (delivery.kind === 'paused') {
    log.audit('otp.send_failed', { ...fields, reason: 'circuit_open' })
    return
  }
  const said = {
    error_code: delivery.code,
    ...(delivery.kind === 'failed' && { status: delivery.status, network: delivery.network }),
  }
  log.audit('otp.send_failed', { ...fields, reason: delivery.reason, ...said })
  if (delivery.kind !== 'failed') return
  const hint = operatorHint(delivery.channel, delivery.reason)
  if (hint !== undefined) log.error(hint, { request_id: fields.request_id, ...said })
}

function operatorHint(channel: Channel, reason: FailedReason): string | undefined {
  return channel === 'call' && reason === 'sender_not_registered'
    ? 'Twilio SMS. Twilio does not let this number call: STEPGATE_TWILIO_VOICE_FROM has to be a number of the account that can, or one that is verified there; off takes the offer away'
    : OPERATOR_HINTS[reason]
}

// Wrong credentials open the circuit, which tells the operator once.
const OPERATOR_HINTS: Readonly<Record<FailedReason, string | undefined>> = {
  credentials: undefined,
  rate_limited: undefined,
  trial_account:
    'Twilio SMS. A trial account only texts and calls numbers that are verified at Twilio',
  sender_not_registered:
    'Twilio SMS. Carriers filter this sender: register STEPGATE_TWILIO_FROM_NUMBER at Twilio',
  unavailable: 'Twilio SMS. Twilio did not answer in time or with an error',
  rejected: 'Twilio SMS. Twilio rejected the message or call: look up error_code at Twilio',
}
