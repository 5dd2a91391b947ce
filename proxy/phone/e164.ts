import {
  type CountryCode,
  getCountryCallingCode,
  type PhoneNumber,
  parseDigits,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max'

type Countries = readonly [CountryCode, ...CountryCode[]]

// Western, Arabic and Persian digits with punctuation. A letter or an unknown digit must fail here:
// left out of the number, it would make another person's.
const PHONE_SHAPE = /^(?:tel:)?\s*\(?\+?[0-9\u0660-\u0669\u06f0-\u06f9\s().\-/\p{Pd}]+$/iu

/** Invisible marks of right-to-left text, which come along when a number is copied. */
const MARKS = /\p{Bidi_Control}/gu

/** Fewer digits with a country code are more likely an extension or a staff number. */
const MIN_INTERNATIONAL_DIGITS = 10

/**
 * Reads one number, as a directory holds it, into E.164; undefined when it is none, has an
 * extension, or could be two people's. `+` and `00` say that a country code follows. Digits alone
 * may be national in the first country or international without `+`, and a wrong guess sends a
 * code to a stranger. So both readings are tried; one counts if such a number can be a mobile (or
 * is written just as the first country writes it). If both count and differ, national wins only
 * when it is written like that, can be a mobile, and it alone lies in one of `countries`.
 */
export function toE164(text: string, countries: Countries): string | undefined {
  const written = text.normalize('NFKC').replaceAll(MARKS, '').trim()
  if (!PHONE_SHAPE.test(written)) return undefined
  const digits = parseDigits(written)
  if (written.includes('+')) return explicit(digits)
  if (digits.startsWith('00')) return explicit(digits.slice(2))
  return fromBareDigits(digits, countries)
}

/** Nothing to guess: only the length is checked, since tables of ranges in use are always late. */
function explicit(digits: string): string | undefined {
  const parsed = parseInternational(digits)
  return parsed?.isPossible() ? parsed.number : undefined
}

function fromBareDigits(digits: string, countries: Countries): string | undefined {
  const national = nationalReading(digits, countries[0])
  const international = internationalReading(digits)
  if (!national && !international) return ownCountryCode(digits, countries[0])
  if (!national || !international) return (national?.parsed ?? international)?.number
  if (national.parsed.number === international.number) return international.number
  const clear = national.asWritten && national.mobile && liesIn(countries, national.parsed)
  return clear && !liesIn(countries, international) ? national.parsed.number : undefined
}

function nationalReading(
  digits: string,
  country: CountryCode,
): { parsed: PhoneNumber; asWritten: boolean; mobile: boolean } | undefined {
  const parsed = parse(digits, country)
  if (!parsed?.isValid()) return undefined
  const asWritten = parseDigits(parsed.formatNational()) === digits
  const mobile = canBeMobile(parsed)
  return asWritten || mobile ? { parsed, asWritten, mobile } : undefined
}

function internationalReading(digits: string): PhoneNumber | undefined {
  const parsed = parseInternational(digits)
  return parsed?.isValid() && canBeMobile(parsed) ? parsed : undefined
}

/** A range that the tables do not know yet, in the country whose code the digits begin with. */
function ownCountryCode(digits: string, country: CountryCode): string | undefined {
  if (digits.length < MIN_INTERNATIONAL_DIGITS) return undefined
  const parsed = parseInternational(digits)
  const home = parsed?.countryCallingCode === getCountryCallingCode(country)
  return home && parsed.isPossible() ? parsed.number : undefined
}

function liesIn(countries: Countries, { country }: PhoneNumber): boolean {
  return country !== undefined && countries.includes(country)
}

function canBeMobile(number: PhoneNumber): boolean {
  const type = number.getType()
  return type === 'MOBILE' || type === 'FIXED_LINE_OR_MOBILE'
}

/** Digits from the country code on; a trunk prefix after it, as in `+49 (0)151 …`, is left out. */
function parseInternational(digits: string): PhoneNumber | undefined {
  const parsed = parse(`+${digits}`)
  // For some countries the library adds an area code or a mobile prefix that nobody wrote.
  return parsed && digits.endsWith(parsed.nationalNumber) ? parsed : undefined
}

function parse(text: string, country?: CountryCode): PhoneNumber | undefined {
  return parsePhoneNumberFromString(text, {
    extract: false,
    ...(country && { defaultCountry: country }),
  })
}
