import type { Config } from '../config/config.ts'
import { isLandline, mayBeReached } from './allowed-countries.ts'
import type { Channel } from './sender.ts'

/** What says which numbers may be texted and called. */
export type Reach = Pick<Config, 'twilio' | 'smsCountries' | 'voiceCountries'>

/**
 * How a code may go to an E.164 number, the best way first: a landline is called rather than
 * texted. Empty for a number that no code may go to.
 */
export function channelsTo(phone: string, reach: Reach): readonly Channel[] {
  const texted = mayBeReached(phone, reach.smsCountries)
  const called = mayBeCalled(phone, reach)
  if (!texted || !called) return texted ? ['sms'] : called ? ['call'] : []
  return isLandline(phone) ? ['call', 'sms'] : ['sms', 'call']
}

function mayBeCalled(phone: string, { twilio, voiceCountries }: Reach): boolean {
  return twilio.voiceFrom !== undefined && mayBeReached(phone, voiceCountries)
}
