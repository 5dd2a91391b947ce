import type { SendOutcome } from './sender.ts'

/** Why nothing is sent: Twilio or the way to it is down, or it refuses the account. */
export type CircuitReason = 'unavailable' | 'credentials'

/** What one send says about Twilio, whatever it says about the number. */
export type Evidence = 'works' | CircuitReason

/** One send that was let through; it is known again by being the same object. */
export type Attempt = { readonly at: number }

/**
 * Closed, sends pass; `failures` are the times of those in a row that failed. Open, none passes
 * until `until`, then one as a trial. `failedTrials` counts those of this opening. Epoch ms.
 */
export type Circuit =
  | { readonly kind: 'closed'; readonly failures: readonly number[] }
  | {
      readonly kind: 'open'
      readonly reason: CircuitReason
      readonly since: number
      readonly until: number
      /** When it was last opened or tried: a clock that says less was set back. */
      readonly at: number
      readonly failedTrials: number
      readonly trial?: Attempt
    }

export type Admission =
  | { readonly kind: 'admitted'; readonly circuit: Circuit; readonly attempt: Attempt }
  | { readonly kind: 'refused'; readonly reason: CircuitReason; readonly until: number }

/** As it is at start. */
export const CLOSED: Circuit = { kind: 'closed', failures: [] }

/** So many failures in a row within the window (ms) open it; wrong credentials do so at once. */
export const OPENS_AFTER = { failures: 5, window: 60_000 } as const

/**
 * How long (ms) nothing is tried: doubling with each failed trial. Longer than one sender may take;
 * what was under way before and ends later does not count.
 */
export const PAUSES = { first: 15_000, most: 5 * 60_000 } as const

/** A trial whose end nobody hears of (ms) gives way to another. */
export const TRIAL_LEASE = 30_000

/** How long (ms) a trial takes as a rule: so soon may others try again. */
export const TRIAL_TAKES = 5_000

/** Asks whether a send may pass now. */
export function admit(circuit: Circuit, now: number): Admission {
  const attempt = { at: now }
  if (circuit.kind === 'closed') return { kind: 'admitted', circuit, attempt }
  const { until, at, reason, trial } = circuit
  if (now < until && now >= at) {
    const soon = trial === undefined ? until : Math.min(until, now + TRIAL_TAKES)
    return { kind: 'refused', reason, until: soon }
  }
  const trying: Circuit = { ...circuit, at: now, until: now + TRIAL_LEASE, trial: attempt }
  return { kind: 'admitted', circuit: trying, attempt }
}

/** What an attempt's end makes of the circuit; while it is open only its trial counts. */
export function settle(
  circuit: Circuit,
  attempt: Attempt,
  evidence: Evidence,
  now: number,
): Circuit {
  if (circuit.kind === 'open') {
    if (circuit.trial !== attempt) return circuit
    if (evidence === 'works') return CLOSED
    return opened(evidence, circuit.since, circuit.failedTrials + 1, now)
  }
  if (evidence === 'works') return CLOSED
  const recent = circuit.failures.filter((time) => Math.abs(now - time) < OPENS_AFTER.window)
  const failures = [...recent, now]
  return evidence === 'credentials' || failures.length >= OPENS_AFTER.failures
    ? opened(evidence, now, 0, now)
    : { kind: 'closed', failures }
}

function opened(
  reason: CircuitReason,
  since: number,
  failedTrials: number,
  now: number,
): Extract<Circuit, { kind: 'open' }> {
  const pause = Math.min(PAUSES.first * 2 ** failedTrials, PAUSES.most)
  return { kind: 'open', reason, since, until: now + pause, at: now, failedTrials }
}

// Said of one handset: whoever owns it must not be able to stop everybody's messages.
const HANDSET: readonly (number | undefined)[] = [30003, 30008]

/** A refusal of a number shows that Twilio works, as does any answer that is not about its own state. */
export function evidenceOf(outcome: SendOutcome): Evidence {
  if (outcome.kind !== 'failed') return 'works'
  switch (outcome.reason) {
    case 'credentials':
      return 'credentials'
    case 'unavailable':
      return HANDSET.includes(outcome.code) ? 'works' : 'unavailable'
    case 'trial_account':
    case 'sender_not_registered':
    case 'rate_limited':
    case 'rejected':
      return 'works'
  }
}
