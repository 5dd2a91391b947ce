import {
  type CountryCode,
  type NumberType,
  type PhoneNumber,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max'
import { LRUCache } from 'lru-cache'
import type { Channel, Sender, SendOutcome } from './sender.ts'

/**
 * Whether an E.164 number belongs to one of these countries. Where a calling code is shared (+1,
 * +7, +44) the number's own country counts. One whose country nobody can say is allowed only if all
 * that it could belong to are; a number of no country (+800, satellites) never is.
 */
export function isAllowedNumber(phone: string, countries: readonly CountryCode[]): boolean {
  const number = parse(phone)
  if (number === undefined) return false
  const { country } = number
  if (country !== undefined) return countries.includes(country)
  const possible = number.getPossibleCountries()
  return possible.length > 0 && possible.every((one) => countries.includes(one))
}

// Numbers of services and of call forwarding: what they cost is up to whoever has them.
const SERVICES: readonly NumberType[] = [
  'PREMIUM_RATE',
  'TOLL_FREE',
  'SHARED_COST',
  'PERSONAL_NUMBER',
  'PAGER',
  'UAN',
  'VOICEMAIL',
]

/** Whether an E.164 number is of a kind that no person's phone has. */
export function isServiceNumber(phone: string): boolean {
  return SERVICES.includes(parse(phone)?.getType())
}

/** Whether a code may go to this number, by text or by call: each has its countries. */
export function mayBeReached(phone: string, countries: readonly CountryCode[]): boolean {
  return isAllowedNumber(phone, countries) && !isServiceNumber(phone)
}

/** Whether an E.164 number is a landline's; in some countries (+1) nobody can tell. */
export function isLandline(phone: string): boolean {
  return parse(phone)?.getType() === 'FIXED_LINE'
}

/** A sender that refuses other countries and service numbers itself, before anybody is asked to send. */
export function restrictSender(
  sender: Sender,
  countries: Readonly<Record<Channel, readonly CountryCode[]>>,
): Sender {
  return {
    send: async (message) => refusal(message.to, countries.sms) ?? sender.send(message),
    call: async (call) => refusal(call.to, countries.call) ?? sender.call(call),
    paused: (channel, to) =>
      refusal(to, countries[channel]) === undefined ? sender.paused?.(channel, to) : undefined,
    check: () => sender.check(),
  }
}

function refusal(to: string, countries: readonly CountryCode[]): SendOutcome | undefined {
  if (isServiceNumber(to)) return { kind: 'refused', reason: 'number_type' }
  if (isAllowedNumber(to, countries)) return undefined
  return { kind: 'refused', reason: 'country_not_enabled' }
}

// On its way to a code a number is looked at some twenty times.
const parsed = new LRUCache<string, { readonly number: PhoneNumber | undefined }>({ max: 1000 })

function parse(phone: string): PhoneNumber | undefined {
  const known = parsed.get(phone) ?? { number: parsePhoneNumberFromString(phone) }
  parsed.set(phone, known)
  return known.number
}
