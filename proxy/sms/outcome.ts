import type { FailedReason, RefusedReason, SendOutcome } from './sender.ts'

/**
 * What is left of an error of Twilio's SDK: Twilio's code, the HTTP status, and the network's own
 * word (`ECONNRESET`) when there was no answer. The error itself holds the number, the code and
 * the Authorization header and must go no further.
 */
export type TwilioFailure = {
  readonly code?: number
  readonly status?: number
  readonly network?: string
}

/** How a send ended that Twilio did not take. */
export type NotSent = Extract<SendOutcome, { kind: 'refused' | 'failed' }>

// https://www.twilio.com/docs/api/errors; those from 30000 come by status callback as a rule.
const REFUSED: Readonly<Record<number, RefusedReason>> = {
  13223: 'not_a_number',
  21211: 'not_a_number',
  21217: 'not_a_number',
  21265: 'not_a_number',
  30005: 'not_a_number',
  21614: 'not_mobile',
  21635: 'not_mobile',
  30006: 'not_mobile',
  13227: 'country_not_enabled',
  21215: 'country_not_enabled',
  21408: 'country_not_enabled',
  21610: 'opted_out',
  13224: 'not_routable',
  21214: 'not_routable',
  21612: 'not_routable',
  13225: 'blocked',
  21216: 'blocked',
  30004: 'blocked',
  30450: 'blocked',
}

const FAILED: Readonly<Record<number, FailedReason>> = {
  10001: 'credentials',
  20003: 'credentials',
  20005: 'credentials',
  20008: 'credentials',
  20403: 'credentials',
  20404: 'credentials',
  30002: 'credentials',
  70051: 'credentials',
  10002: 'trial_account',
  21219: 'trial_account',
  21608: 'trial_account',
  21210: 'sender_not_registered',
  21212: 'sender_not_registered',
  21601: 'sender_not_registered',
  21606: 'sender_not_registered',
  21659: 'sender_not_registered',
  21660: 'sender_not_registered',
  21661: 'sender_not_registered',
  21703: 'sender_not_registered',
  21704: 'sender_not_registered',
  21705: 'sender_not_registered',
  30007: 'sender_not_registered',
  30032: 'sender_not_registered',
  30034: 'sender_not_registered',
  10004: 'rate_limited',
  20429: 'rate_limited',
  21611: 'rate_limited',
  30001: 'rate_limited',
  20503: 'unavailable',
  30003: 'unavailable',
  30008: 'unavailable',
}

/**
 * Maps what Twilio or the network said to an outcome: the code counts first, then the status. An
 * answer that says neither is `unavailable`; a refusal that nobody foresaw is `rejected`.
 */
export function outcomeOf({ code, status, network }: TwilioFailure): NotSent {
  const refused = code === undefined ? undefined : REFUSED[code]
  if (code !== undefined && refused) return { kind: 'refused', reason: refused, code }
  const reason = (code === undefined ? undefined : FAILED[code]) ?? reasonOfStatus(status, code)
  return {
    kind: 'failed',
    reason,
    ...(code !== undefined && { code }),
    ...(status !== undefined && { status }),
    ...(network !== undefined && { network }),
  }
}

/** What a call's status says of it that is over already; undefined while it may still be answered. */
export function callProblem(status: unknown): NotSent | undefined {
  switch (status) {
    case 'busy':
    case 'no-answer':
      return { kind: 'refused', reason: 'not_answered' }
    case 'failed':
      return { kind: 'refused', reason: 'not_routable' }
    case 'canceled':
      return { kind: 'failed', reason: 'rejected' }
    default:
      return undefined
  }
}

function reasonOfStatus(status: number | undefined, code: number | undefined): FailedReason {
  if (status === 401) return 'credentials'
  // With a code that nobody foresaw it may be about this number (21408 is one that was).
  if (status === 403 && code === undefined) return 'credentials'
  if (status === 429) return 'rate_limited'
  return status !== undefined && status >= 400 && status < 500 ? 'rejected' : 'unavailable'
}

/** Reduces anything that was thrown to numbers and a constant of the network; nothing else passes. */
export function failureOf(error: unknown): TwilioFailure {
  if (typeof error !== 'object' || error === null) return {}
  const { code, status } = error as { code?: unknown; status?: unknown }
  return {
    ...(isWithin(code, 1, 99_999) && { code }),
    ...(isWithin(status, 100, 599) && { status }),
    ...(isNetworkWord(code) && { network: OUR_DEADLINE.has(code) ? 'ETIMEDOUT' : code }),
  }
}

/** What axios calls it when it is we who give up. */
const OUR_DEADLINE = new Set(['ERR_CANCELED', 'ECONNABORTED'])

function isNetworkWord(code: unknown): code is string {
  return typeof code === 'string' && /^[A-Z][A-Z_]{2,39}$/.test(code)
}

// Twilio's codes have at most five digits: a one-time code that an answer echoes is none of them.
function isWithin(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
}
