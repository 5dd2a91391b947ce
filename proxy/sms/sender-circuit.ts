import { keyOf } from '../store/key-of.ts'
import {
  type Admission,
  admit,
  type Circuit,
  type CircuitReason,
  CLOSED,
  evidenceOf,
  settle,
} from './circuit.ts'
import type { Channel, Paused, Sender, SendOutcome } from './sender.ts'

/** Told once an opening, with the outcome that led to it, and once its end; times are epoch ms. */
export type CircuitChange = { readonly channel: Channel } & (
  | {
      readonly kind: 'opened'
      readonly reason: CircuitReason
      readonly until: number
      readonly outcome: SendOutcome
    }
  | { readonly kind: 'closed'; readonly since: number; readonly at: number }
)

/** A sender that stops asking Twilio for a while when it has failed again and again. */
export type CircuitSender = Sender & {
  /** Tries nothing, and nobody's turn passes by it. */
  paused(channel: Channel, to: string): Paused | undefined
  /** Whether messages, or calls, are held back now. */
  isOpen(channel: Channel): boolean
}

/**
 * Puts a circuit before the messages of `sender` and another before its calls, for this process:
 * they are services of their own at Twilio, and where one fails the other is the way on. While one
 * is open a send ends at once as `paused`: nothing was sent for sure.
 */
export function createCircuitSender(
  sender: Sender,
  { clock, onChange }: { clock: () => number; onChange: (change: CircuitChange) => void },
): CircuitSender {
  const circuits: Record<Channel, Circuit> = { sms: CLOSED, call: CLOSED }

  function change(channel: Channel, next: Circuit, outcome: SendOutcome): void {
    const before = circuits[channel]
    circuits[channel] = next
    if (before.kind === 'closed' && next.kind === 'open') {
      const { reason, until } = next
      onChange({ channel, kind: 'opened', reason, until, outcome })
    }
    if (before.kind === 'open' && next.kind === 'closed') {
      onChange({ channel, kind: 'closed', since: before.since, at: clock() })
    }
  }

  const ask = (channel: Channel, to: string) =>
    admit(circuits[channel], keyOf('circuit', to), clock())

  async function guarded(
    channel: Channel,
    to: string,
    send: () => Promise<SendOutcome>,
  ): Promise<SendOutcome> {
    const admission = ask(channel, to)
    if (admission.kind === 'refused') return pausedBy(admission)
    circuits[channel] = admission.circuit
    // Of a sender that throws.
    let outcome: SendOutcome = { kind: 'failed', reason: 'unavailable' }
    try {
      outcome = await send()
      return outcome
    } finally {
      const evidence = evidenceOf(outcome)
      change(channel, settle(circuits[channel], admission.attempt, evidence, clock()), outcome)
    }
  }

  return {
    ...sender,
    send: (message) => guarded('sms', message.to, () => sender.send(message)),
    call: (call) => guarded('call', call.to, () => sender.call(call)),
    paused(channel, to) {
      const admission = ask(channel, to)
      return admission.kind === 'refused' ? pausedBy(admission) : undefined
    },
    isOpen: (channel) => circuits[channel].kind === 'open',
  }
}

function pausedBy({ reason, until }: Extract<Admission, { kind: 'refused' }>): Paused {
  return { kind: 'paused', reason, until }
}
