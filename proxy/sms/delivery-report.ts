/**
 * How far a message has come, as Twilio's status callbacks say. `delivered` and `failed` are final.
 * `errorCode` is Twilio's.
 */
export type DeliveryReport =
  | { readonly state: 'queued' | 'sending' | 'sent' | 'delivered' }
  | { readonly state: 'failed'; readonly errorCode?: number }

/** Why a message that Twilio took did not arrive: each has its own way on. */
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

/** A report for one message; undefined for a form that is none. */
export function readReport(
  fields: URLSearchParams,
): { readonly sid: string; readonly report: DeliveryReport } | undefined {
  const sid = fields.get('MessageSid') ?? ''
  const state = STATES.get(fields.get('MessageStatus'))
  if (!isMessageSid(sid) || state === undefined) return undefined
  if (state !== 'failed') return { sid, report: { state } }
  const code = fields.get('ErrorCode') ?? ''
  const errorCode = /^[1-9]\d{3,4}$/.test(code) ? { errorCode: Number(code) } : {}
  return { sid, report: { state, ...errorCode } }
}

/** Whether this names a text message at Twilio. */
export function isMessageSid(sid: string): boolean {
  return /^(SM|MM)[0-9a-f]{32}$/i.test(sid)
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
export function undeliveredReason(errorCode: number | undefined): UndeliveredReason {
  return (errorCode === undefined ? undefined : REASONS[errorCode]) ?? 'lost'
}
