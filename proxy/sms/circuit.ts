import type { SendOutcome } from './sender.ts'

/** Why nothing is sent: Twilio or the way to it is down, or it refuses the account. */
export type CircuitReason = 'unavailable' | 'credentials'

/** What one send says about Twilio, whatever it says about the number. */
export type Evidence = 'works' | CircuitReason

/**
 * One send that was let through; it is known again by being the same object. `number` stands for
 * the number it goes to and need not show it.
 */
export type Attempt = { readonly number: string }

/** A send to `number` that failed, when (epoch ms). */
export type Failure = { readonly number: string; readonly at: number }

/**
 * Closed, sends pass; `failures` are the last of those in a row that failed. Open, none passes
 * until `until`, then one as a trial. `longerPauses` counts the failed trials of this opening that
 * were of numbers not in `failed`, the last that had failed. Epoch ms.
 */
export type Circuit =
  | { readonly kind: 'closed'; readonly failures: readonly Failure[] }
  | {
      readonly kind: 'open'
      readonly reason: CircuitReason
      readonly since: number
      readonly until: number
      /** When it was last opened or tried: a clock that says less was set back. */
      readonly at: number
      readonly longerPauses: number
      readonly failed: readonly string[]
      readonly trial?: Attempt
    }

export type Admission =
  | { readonly kind: 'admitted'; readonly circuit: Circuit; readonly attempt: Attempt }
  | { readonly kind: 'refused'; readonly reason: CircuitReason; readonly until: number }

/** As it is at start. */
export const CLOSED: Circuit = { kind: 'closed', failures: [] }

/**
 * So many failures in a row within the window (ms), to so many numbers, open it: one person can't
 * hold everybody's up. Wrong credentials do so at once.
 */
export const OPENS_AFTER = { failures: 5, numbers: 2, window: 60_000 } as const

/**
 * How long (ms) nothing is tried: doubling with each failed trial of another number. What was under
 * way before counts for nothing if it ends meanwhile; with a second sender it may take longer than
 * the first pause, and then counts as any other.
 */
export const PAUSES = { first: 15_000, most: 5 * 60_000 } as const

/** A trial whose end nobody hears of (ms) gives way to another. */
export const TRIAL_LEASE = 30_000

/** How long (ms) a trial takes as a rule: so soon may others try again. */
export const TRIAL_TAKES = 5_000

/** Asks whether a send may pass now. */
export function admit(circuit: Circuit, number: string, now: number): Admission {
  const attempt = { number }
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
  const { number } = attempt
  if (circuit.kind === 'open') {
    if (circuit.trial !== attempt) return circuit
    if (evidence === 'works') return CLOSED
    const { since, longerPauses, failed } = circuit
    // It may be this number that fails: only wrong credentials are nobody's own.
    const isKnown = evidence === 'unavailable' && failed.includes(number)
    const next = { since, longerPauses: isKnown ? longerPauses : longerPauses + 1 }
    return opened(evidence, { ...next, failed: [...failed, number] }, now)
  }
  if (evidence === 'works') return CLOSED
  const recent = circuit.failures.filter(({ at }) => Math.abs(now - at) < OPENS_AFTER.window)
  const failures = [...recent, { number, at: now }].slice(-OPENS_AFTER.failures)
  const failed = failures.map((failure) => failure.number)
  const isEverybodys =
    failures.length >= OPENS_AFTER.failures && new Set(failed).size >= OPENS_AFTER.numbers
  return evidence === 'credentials' || isEverybodys
    ? opened(evidence, { since: now, longerPauses: 0, failed }, now)
    : { kind: 'closed', failures }
}

type Open = Extract<Circuit, { kind: 'open' }>

function opened(
  reason: CircuitReason,
  { since, longerPauses, failed }: Pick<Open, 'since' | 'longerPauses' | 'failed'>,
  now: number,
): Open {
  const pause = Math.min(PAUSES.first * 2 ** longerPauses, PAUSES.most)
  return {
    kind: 'open',
    reason,
    since,
    until: now + pause,
    at: now,
    longerPauses,
    failed: [...new Set(failed)].slice(-OPENS_AFTER.failures),
  }
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
