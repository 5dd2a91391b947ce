import { COUNTRIES } from '../sms/country-of.ts'

/**
 * A metric, and every value that its labels can have: few, and none that names a person, a number,
 * a path or a host. A gauge of several workers is their `sum`, or the `max` where all see the same.
 */
export type Definition = {
  readonly help: string
  readonly labels: Readonly<Record<string, readonly string[]>>
} & (
  | { readonly kind: 'counter' }
  | { readonly kind: 'gauge'; readonly over: 'sum' | 'max' }
  | { readonly kind: 'histogram'; readonly buckets: readonly number[] }
)

const CHANNELS = ['sms', 'call'] as const

/** All metrics of stepgate's own; label values are the words that the log has. */
export const METRICS = {
  stepgate_sign_ins_total: {
    kind: 'counter',
    help: 'Sign-ins that came back from the provider, by how they ended.',
    labels: {
      outcome: [
        'succeeded',
        'refused',
        'expired',
        'other-browser',
        'no-state',
        'invalid',
        'missing-claim',
        'not-fresh',
        'ended',
        'unavailable',
      ],
    },
  },
  stepgate_step_ups_required_total: {
    kind: 'counter',
    help: 'Requests that were answered by asking for a code.',
    labels: {},
  },
  stepgate_challenges_total: {
    kind: 'counter',
    help: 'Codes that were made; to send one again makes none.',
    labels: {},
  },
  stepgate_sends_total: {
    kind: 'counter',
    help: "Messages and calls, by what became of them and by the number's country (ISO 3166).",
    labels: {
      channel: CHANNELS,
      country: COUNTRIES,
      outcome: [
        'sent',
        'not_a_number',
        'not_mobile',
        'country_not_enabled',
        'number_type',
        'opted_out',
        'not_routable',
        'blocked',
        'not_answered',
        'credentials',
        'trial_account',
        'sender_not_registered',
        'rate_limited',
        'unavailable',
        'rejected',
        'paused',
      ],
    },
  },
  stepgate_deliveries_total: {
    kind: 'counter',
    help: 'What Twilio reports of messages and calls that it took; without reports there are none.',
    labels: {
      channel: CHANNELS,
      outcome: [
        'delivered',
        'unreachable',
        'blocked',
        'not_in_service',
        'landline',
        'filtered',
        'fault',
        'opted_out',
        'lost',
        'not_answered',
        'not_connected',
      ],
    },
  },
  stepgate_circuit_open: {
    kind: 'gauge',
    over: 'sum',
    help: 'Processes in which messages or calls are held back, because Twilio has failed again and again.',
    labels: { channel: CHANNELS },
  },
  stepgate_limits_hit_total: {
    kind: 'counter',
    help: 'Messages and calls that a limit refused before they were tried, by the limit.',
    labels: {
      channel: CHANNELS,
      limit: ['person', 'number', 'address', 'prefix', 'unknown', 'budget'],
    },
  },
  stepgate_verifications_total: {
    kind: 'counter',
    help: 'Codes that were typed in, by the answer; during a wait or a lock none is compared.',
    labels: {
      outcome: ['right', 'wrong', 'expired', 'used-up', 'superseded', 'wait', 'locked'],
    },
  },
  stepgate_locks_total: {
    kind: 'counter',
    help: 'Waits and locks that began because of wrong codes.',
    labels: { kind: ['wait', 'locked'] },
  },
  stepgate_send_to_verification_seconds: {
    kind: 'histogram',
    help: 'From the last message or call of a code to the moment when it was typed in.',
    labels: { channel: CHANNELS },
    buckets: [2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600],
  },
  stepgate_alarms_total: {
    kind: 'counter',
    help: 'Alarms that this installation raised: 80 % of a budget, all of it, few codes used.',
    labels: {
      alarm: ['budget_warning', 'budget_spent', 'pumping_suspected'],
      channel: CHANNELS,
    },
  },
  stepgate_budget: {
    kind: 'gauge',
    over: 'max',
    help: 'Messages or calls that may go out in a day.',
    labels: { channel: CHANNELS },
  },
  stepgate_budget_used: {
    kind: 'gauge',
    over: 'max',
    help: 'How much of the budget is used, by all processes and machines; absent while the store is away.',
    labels: { channel: CHANNELS },
  },
  stepgate_recent_codes: {
    kind: 'gauge',
    over: 'max',
    help: 'Codes of the last hour that can no longer be typed in, and how many of them were.',
    labels: { state: ['made', 'verified'] },
  },
  stepgate_sessions_ended_total: {
    kind: 'counter',
    help: 'Sessions that were ended before their time; all of a person at once count as one.',
    labels: {
      reason: [
        'sign_out',
        'sign_out_everywhere',
        'back_channel_logout',
        'front_channel_logout',
        'other_sign_in',
        'refused',
        'other_subject',
        'missing_claim',
        'recheck',
      ],
    },
  },
  stepgate_requests_total: {
    kind: 'counter',
    help: "Requests by what was decided of them; own is for stepgate's own paths, refused for what is no clear request.",
    labels: { decision: ['forward', 'sign-in', 'step-up', 'deny', 'own', 'refused'] },
  },
  stepgate_websockets: {
    kind: 'gauge',
    over: 'sum',
    help: 'WebSockets that are open.',
    labels: {},
  },
  stepgate_store_seconds: {
    kind: 'histogram',
    help: 'How long the store took, whether it could answer or not.',
    labels: {
      operation: [
        'get',
        'put',
        'swap',
        'take',
        'remove',
        'strike',
        'waive',
        'strikes',
        'count',
        'counts',
        'uncount',
        'revoke',
        'revocations',
        'ping',
      ],
      store: ['sqlite', 'memory', 'redis'],
    },
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5],
  },
  stepgate_store_failures_total: {
    kind: 'counter',
    help: 'Operations that the store could not do.',
    labels: { store: ['sqlite', 'memory', 'redis'] },
  },
  stepgate_processes: {
    kind: 'gauge',
    over: 'sum',
    help: 'Processes that serve.',
    labels: {},
  },
} as const satisfies Readonly<Record<string, Definition>>

type Metrics = typeof METRICS

/** The name of any metric. */
export type MetricName = keyof Metrics

/** The names of all metrics of one kind. */
export type MetricOf<Kind extends Definition['kind']> = {
  [Name in MetricName]: Metrics[Name]['kind'] extends Kind ? Name : never
}[MetricName]

/** The labels of one metric, with the values that they can have. */
export type LabelsOf<Name extends MetricName> = {
  readonly [Label in keyof Metrics[Name]['labels']]: Metrics[Name]['labels'][Label] extends readonly (infer Value extends
    string)[]
    ? Value
    : never
}
