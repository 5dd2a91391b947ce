import { isCallSid, isMessageSid } from './sid.ts'

/**
 * How far a message or call has come, as Twilio's status callbacks say. `delivered` and `failed` are
 * final; a call is `delivered` when it was answered and has ended. `errorCode` is Twilio's.
 */
export type DeliveryReport =
  | { readonly state: 'queued' | 'sending' | 'sent' | 'delivered' }
  | {
      readonly state: 'failed'
      readonly reason: UndeliveredReason
      readonly errorCode?: number
    }

/** Why a message or call that Twilio took did not arrive: each has its own way on. */
export type UndeliveredReason =
  /** Switched off or without reception. */
  | 'unreachable'
  | 'blocked'
  | 'not_in_service'
  | 'landline'
  /** Carriers filter the sender, or it is not registered: somebody has to act. */
  | 'filtered'
  /** The account may not send: somebody has to act. */
  | 'fault'
  | 'opted_out'
  /** Nobody says why. */
  | 'lost'
  /** Of a call: the line was busy, or nobody answered. */
  | 'not_answered'
  /** Of a call: it did not come to a phone that rings. */
  | 'not_connected'

// https://www.twilio.com/docs/messaging/api/message-resource#message-status-values
const STATES = new Map<string | null, DeliveryReport['state']>(
  Object.entries({
    accepted: 'queued',
    scheduled: 'queued',
    queued: 'queued',
    sending: 'sending',
    sent: 'sent',
    delivered: 'delivered',
    read: 'delivered',
    undelivered: 'failed',
    failed: 'failed',
    canceled: 'failed',
  } as const),
)

// https://www.twilio.com/docs/voice/api/call-resource#call-status-values; only its end is asked for.
const CALL_REPORTS = new Map<string | null, DeliveryReport>([
  ['completed', { state: 'delivered' }],
  ['busy', { state: 'failed', reason: 'not_answered' }],
  ['no-answer', { state: 'failed', reason: 'not_answered' }],
  ['failed', { state: 'failed', reason: 'not_connected' }],
  ['canceled', { state: 'failed', reason: 'not_connected' }],
])

const RANKS = { queued: 0, sending: 1, sent: 2, delivered: 3, failed: 3 } as const

// https://www.twilio.com/docs/api/errors
const REASONS: Readonly<Record<number, UndeliveredReason>> = {
  30003: 'unreachable',
  30004: 'blocked',
  30450: 'blocked',
  30005: 'not_in_service',
  30006: 'landline',
  30007: 'filtered',
  30032: 'filtered',
  30034: 'filtered',
  30002: 'fault',
  30018: 'fault',
  21610: 'opted_out',
}

/** A report of one message or call; undefined for a form that is none. */
export function readReport(
  fields: URLSearchParams,
): { readonly sid: string; readonly report: DeliveryReport } | undefined {
  const sid = fields.get('MessageSid') ?? fields.get('CallSid') ?? ''
  const report = isMessageSid(sid)
    ? messageReport(fields)
    : isCallSid(sid)
      ? CALL_REPORTS.get(fields.get('CallStatus'))
      : undefined
  return report && { sid, report }
}

function messageReport(fields: URLSearchParams): DeliveryReport | undefined {
  const state = STATES.get(fields.get('MessageStatus'))
  if (state !== 'failed') return state && { state }
  const code = fields.get('ErrorCode') ?? ''
  const errorCode = /^[1-9]\d{3,4}$/.test(code) ? Number(code) : undefined
  const reason = undeliveredReason(errorCode)
  return { state, reason, ...(errorCode !== undefined && { errorCode }) }
}

/** What is known after `news`, which may be late or repeated: never less than `known`. */
export function mergeReport(
  known: DeliveryReport | undefined,
  news: DeliveryReport,
): DeliveryReport {
  return known === undefined || RANKS[news.state] > RANKS[known.state] ? news : known
}

/** Whether nothing can change any more. */
export function isFinal({ state }: DeliveryReport): boolean {
  return RANKS[state] === RANKS.delivered
}

/** What Twilio's error code of a message means for the person. */
function undeliveredReason(errorCode: number | undefined): UndeliveredReason {
  return (errorCode === undefined ? undefined : REASONS[errorCode]) ?? 'lost'
}
