import { type CountryCode, getCountries, parsePhoneNumberFromString } from 'libphonenumber-js/max'

/** Every answer of `countryOf`. */
export const COUNTRIES: readonly (CountryCode | 'unknown')[] = [...getCountries(), 'unknown']

/** The ISO code of the country that an E.164 number belongs to, if it belongs to one. */
export function countryOf(phone: string): CountryCode | 'unknown' {
  return parsePhoneNumberFromString(phone)?.country ?? 'unknown'
}
