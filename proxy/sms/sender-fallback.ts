import type { NotSent } from './outcome.ts'
import type { Channel, Sender, SendOutcome } from './sender.ts'

/** Why the second sender was asked, and how that ended. */
export type FallbackUse = {
  readonly channel: Channel
  readonly reason: string
  readonly code?: number
  readonly end: string
}

// Of this sender's own queue: other want of room (20429) is the account's.
const SENDER_IS_FULL: readonly (number | undefined)[] = [21611, 30001]
// A carrier that filters a message (30007) must not get it from another sender: Twilio forbids it.
const FILTERED = 30007

/**
 * Whether another sender of the same account may do better: only when Twilio has refused for sure,
 * and for a reason that lies with the sender. An opt-out holds for all senders; a timeout, a reset
 * or a 5xx says nothing about whether the message was taken, and two for one press are never sent.
 */
export function mayMend(outcome: SendOutcome): outcome is NotSent {
  switch (outcome.kind) {
    case 'sent':
    case 'paused':
      return false
    case 'refused':
      return outcome.reason === 'not_routable'
    case 'failed':
      if (outcome.reason === 'rate_limited') return SENDER_IS_FULL.includes(outcome.code)
      return outcome.reason === 'sender_not_registered' && outcome.code !== FILTERED
  }
}

/**
 * Sends or calls through `secondary` what `primary` has refused for a reason that another sender mends. When
 * that is refused too, the answer is the first one.
 */
export function createFallbackSender(
  primary: Sender,
  secondary: Sender,
  onUse: (use: FallbackUse) => void,
): Sender {
  async function tryBoth(
    channel: Channel,
    ask: (sender: Sender) => Promise<SendOutcome>,
  ): Promise<SendOutcome> {
    const first = await ask(primary)
    if (!mayMend(first)) return first
    const second = await ask(secondary)
    const { reason, code } = first
    const end = second.kind === 'sent' ? second.kind : second.reason
    onUse({ channel, reason, end, ...(code !== undefined && { code }) })
    return isRefusal(second) ? first : second
  }

  return {
    send: (message) => tryBoth('sms', (sender) => sender.send(message)),
    call: (call) => tryBoth('call', (sender) => sender.call(call)),
    check: () => primary.check(),
  }
}

function isRefusal(outcome: SendOutcome): boolean {
  return (
    outcome.kind === 'refused' || (outcome.kind === 'failed' && outcome.reason !== 'unavailable')
  )
}
