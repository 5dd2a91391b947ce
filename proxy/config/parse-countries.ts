import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js'
import { ok, type Parsed, wrong } from './parsed.ts'

/** ISO 3166 codes of two letters, separated by spaces or commas, as libphonenumber knows them. */
export function parseCountries(text: string): Parsed<readonly [CountryCode, ...CountryCode[]]> {
  const words = [...new Set(text.toUpperCase().split(/[\s,]+/))].filter((word) => word !== '')
  const unknown = words.filter((word) => !isSupportedCountry(word))
  if (unknown.length > 0) {
    return wrong(...unknown.map((word) => `${JSON.stringify(word)} is no ISO country code`))
  }
  const [first, ...rest] = words.filter((word) => isSupportedCountry(word))
  return first === undefined ? wrong('it names no country') : ok([first, ...rest])
}

/** The country of an E.164 number; undefined for one that belongs to no single country. */
export function countryOf(number: string): CountryCode | undefined {
  return parsePhoneNumberFromString(number)?.country
}
