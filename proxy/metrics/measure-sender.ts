import { countryOf } from '../sms/country-of.ts'
import type { Channel, Sender, SendOutcome } from '../sms/sender.ts'
import type { LabelsOf } from './definitions.ts'
import type { Meter } from './meter.ts'

/** A sender whose messages and calls are counted by what became of them. */
export function measureSender(sender: Sender, meter: Meter | undefined): Sender {
  if (meter === undefined) return sender

  const counted = (channel: Channel, to: string, outcome: SendOutcome): SendOutcome => {
    const country = countryOf(to)
    meter.count('stepgate_sends_total', { channel, country, outcome: wordFor(outcome) })
    return outcome
  }

  return {
    send: async (message) => counted('sms', message.to, await sender.send(message)),
    call: async (call) => counted('call', call.to, await sender.call(call)),
    paused(channel, to) {
      const paused = sender.paused?.(channel, to)
      if (paused !== undefined) counted(channel, to, paused)
      return paused
    },
    check: () => sender.check(),
  }
}

function wordFor(outcome: SendOutcome): LabelsOf<'stepgate_sends_total'>['outcome'] {
  switch (outcome.kind) {
    case 'sent':
    case 'paused':
      return outcome.kind
    case 'refused':
    case 'failed':
      return outcome.reason
  }
}
