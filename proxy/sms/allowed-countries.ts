import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js/max'
import type { Sender } from './sender.ts'

/**
 * Whether an E.164 number belongs to one of these countries. Where a calling code is shared (+1,
 * +7, +44) the number's own country counts. One whose country nobody can say is allowed only if all
 * that it could belong to are; a number of no country (+800, satellites) never is.
 */
export function isAllowedNumber(phone: string, countries: readonly CountryCode[]): boolean {
  const number = parsePhoneNumberFromString(phone)
  if (number === undefined) return false
  const { country } = number
  if (country !== undefined) return countries.includes(country)
  const possible = number.getPossibleCountries()
  return possible.length > 0 && possible.every((one) => countries.includes(one))
}

/** A sender that refuses numbers of other countries itself, before anybody is asked to send. */
export function restrictSender(sender: Sender, countries: readonly CountryCode[]): Sender {
  return {
    async send(message) {
      return isAllowedNumber(message.to, countries)
        ? sender.send(message)
        : { kind: 'refused', reason: 'country_not_enabled' }
    },
    check: () => sender.check(),
  }
}
