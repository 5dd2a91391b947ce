import type { Config, SmsFrom } from '../config/config.ts'
import type { Log } from '../log.ts'
import { type CheckedAs, credentialNames } from './account-check.ts'
import type { Sender } from './sender.ts'
import { type CircuitChange, type CircuitSender, createCircuitSender } from './sender-circuit.ts'
import { createFallbackSender } from './sender-fallback.ts'
import { createTwilioSender } from './sender-twilio.ts'
import { createStatusCallback } from './status-callback.ts'

/** Twilio by its first sender, with the second behind it if there is one. */
export function createTwilioSenders(config: Config['twilio'], secret: string, log: Log): Sender {
  const callback = createStatusCallback(config.statusCallback, () =>
    log.warn(
      'Twilio SMS. Twilio refuses to report to STEPGATE_PUBLIC_URL, which it has to reach from the internet: until the next start nobody learns whether a message arrived',
      { error_code: 21609 },
    ),
  )
  const primary = createTwilioSender(config, secret, { callback })
  const { fallbackFrom, voiceFrom, ...others } = config
  if (fallbackFrom === undefined) return primary
  const caller = voiceFrom === undefined ? undefined : callerOf(fallbackFrom)
  const canCall = caller !== undefined && caller !== voiceFrom
  const secondary = createTwilioSender(
    { ...others, from: fallbackFrom, ...(canCall && { voiceFrom: caller }) },
    secret,
    { callback },
  )
  const both = createFallbackSender(primary, secondary, ({ channel, reason, code, end }) => {
    const sentence =
      'Twilio SMS. Twilio refused the first sender: STEPGATE_TWILIO_FALLBACK_FROM was used'
    log.warn(sentence, { channel, reason, error_code: code, end })
  })
  return canCall ? both : { ...both, call: primary.call }
}

/** Short codes, alphanumeric senders and messaging services can't call. */
function callerOf(from: SmsFrom): string | undefined {
  return from.kind === 'number' && from.number.startsWith('+') ? from.number : undefined
}

/** Circuits before `sender` that write to the log when they open and close. */
export function withCircuit(
  sender: Sender,
  { apiKeySid }: Pick<Config['twilio'], 'apiKeySid'>,
  { clock, log }: { clock: () => number; log: Log },
): CircuitSender {
  const credentials = apiKeySid === undefined ? 'token' : 'api-key'
  return createCircuitSender(sender, {
    clock,
    onChange: (change) => logChange(log, change, credentials, clock()),
  })
}

function logChange(
  log: Log,
  change: CircuitChange,
  credentials: CheckedAs['credentials'],
  now: number,
): void {
  const { channel } = change
  const name = channel === 'call' ? 'voice' : 'sms'
  if (change.kind === 'closed') {
    const seconds = Math.round((change.at - change.since) / 1000)
    log.audit(`${name}.circuit_closed`, { seconds })
    log.info(WORKS_AGAIN[channel], { seconds })
    return
  }
  const { reason, outcome, until } = change
  const fields = {
    reason,
    ...(outcome.kind === 'failed' && {
      error_code: outcome.code,
      status: outcome.status,
      network: outcome.network,
    }),
    seconds: Math.round((until - now) / 1000),
  }
  log.audit(`${name}.circuit_opened`, fields)
  log.error(reason === 'credentials' ? refuses(credentials) : FAILS[channel], fields)
}

const WORKS_AGAIN = {
  sms: 'Twilio SMS. Twilio works again: messages are sent',
  call: 'Twilio SMS. Twilio works again: people are called',
} as const

function refuses(credentials: CheckedAs['credentials']): string {
  return `Twilio SMS. Twilio refuses the credentials: check ${credentialNames(credentials)}; until they are accepted only a few sends and calls are tried`
}

const FAILS = {
  sms: 'Twilio SMS. Twilio has failed again and again: nothing is sent for a while, then one send is tried',
  call: 'Twilio SMS. Twilio has failed again and again: nobody is called for a while, then one call is tried',
} as const
