import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  type CountryCode,
  getCountryCallingCode,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max'
import { toE164 } from '../../proxy/phone/e164.ts'

type Row = readonly [written: string, countries: readonly CountryCode[], read: string | undefined]

const table: Readonly<Record<string, readonly Row[]>> = {
  'a + or 00 says that the country code follows': [
    ['+4915112345678', ['US'], '+4915112345678'],
    ['+49 (0)151 / 123-456 78', ['US'], '+4915112345678'],
    ['(+49) 151 12345678', ['US'], '+4915112345678'],
    ['tel:+49-151-12345678', ['US'], '+4915112345678'],
    ['004915112345678', ['US'], '+4915112345678'],
    ['0049 (0)151 12345678', ['DE'], '+4915112345678'],
    ['+39 06 12345678', ['DE'], '+390612345678'],
    ['+1 (555) 123-4567', ['DE'], '+15551234567'],
  ],
  'a number without country is one of the first country': [
    ['0151 12345678', ['DE', 'US'], '+4915112345678'],
    ['(212) 555-0123', ['US', 'DE'], '+12125550123'],
    ['347 123 4567', ['IT'], '+393471234567'],
    ['030/12345678', ['DE'], '+493012345678'],
    ['0151 12345678', ['US', 'DE'], undefined],
  ],
  'a country code without + is understood': [
    ['4915112345678', ['DE'], '+4915112345678'],
    ['4915112345678', ['US'], '+4915112345678'],
    ['15551234567', ['US'], '+15551234567'],
    ['1 212 555 0123', ['US'], '+12125550123'],
    ['393471234567', ['IT'], '+393471234567'],
    ['01149 151 12345678', ['US'], '+4915112345678'],
  ],
  'digits that could be two people are not guessed': [
    // Without trunk prefix a mobile in Germany, or one in Austin.
    ['15125550123', ['DE'], undefined],
    // Somebody in Detroit, or in the Seychelles where people are texted too.
    ['2482555123', ['US', 'SC'], undefined],
    ['13102345678', ['CN', 'US'], undefined],
    // Jamaica shares the country code of the first country without being it.
    ['6582345678', ['US'], undefined],
    // Staff number or extension, not a landline in Germany.
    ['55123', ['DE'], undefined],
    // Or one in Athens.
    ['302101234567', ['DE'], undefined],
    ['4912345', ['DE'], undefined],
  ],
  'the usual writing of the first country wins over a country where nobody is texted': [
    ['2482555123', ['US'], '+12482555123'],
    ['13102345678', ['CN'], '+8613102345678'],
    ['0151 25550123', ['DE', 'US'], '+4915125550123'],
  ],
  'digits of other scripts are digits': [
    ['＋４９１５１１２３４５６７８', ['US'], '+4915112345678'],
    ['٠١٥١١٢٣٤٥٦٧٨', ['DE'], '+4915112345678'],
    ['۰۱۵۱ ۱۲۳۴۵۶۷۸', ['DE'], '+4915112345678'],
    ['\u202a+49 151 12345678\u202c', ['US'], '+4915112345678'],
  ],
  'what is not one textable number is refused': [
    ['', ['DE'], undefined],
    ['+', ['DE'], undefined],
    ['()', ['DE'], undefined],
    ['none', ['DE'], undefined],
    ['call 0151 12345678', ['DE'], undefined],
    ['+49 151 12345678 x123', ['DE'], undefined],
    ['+12125550123;ext=5', ['US'], undefined],
    ['1-800-FLOWERS', ['US'], undefined],
    ['+4915112345678, +4915187654321', ['DE'], undefined],
    ['+49151+12345678', ['DE'], undefined],
    ['+0151', ['DE'], undefined],
    // A subscriber in Madagascar without area code.
    ['+261 2000000', ['DE'], undefined],
    ['+491511234567890123', ['DE'], undefined],
    ['00000000000', ['DE'], undefined],
    // Devanagari three: left out, it would make another number.
    ['+49 151 1234567३8', ['DE'], undefined],
  ],
}

describe('reading a number into E.164', () => {
  for (const [behaviour, rows] of Object.entries(table)) {
    it(behaviour, () => {
      for (const [written, [first, ...others], read] of rows) {
        assert.ok(first)
        assert.equal(toE164(written, [first, ...others]), read, `${written} in ${first}`)
      }
    })
  }

  it('keeps the subscriber as written, under the written country or the first one', () => {
    const digits = fc.string({
      unit: fc.constantFrom(...'0123456789'),
      minLength: 4,
      maxLength: 16,
    })
    const prefix = fc.constantFrom('', '+', '00', '0', '+49', '49', '1', '(0)', '+1', '44 (0)')
    const country = fc.constantFrom<CountryCode>('DE', 'US', 'IT', 'GB', 'CN', 'FR')
    const property = fc.property(prefix, digits, country, (start, rest, first) => {
      const read = toE164(start + rest, [first])
      if (read === undefined) return
      const number = parsePhoneNumberFromString(read)
      assert.ok(number)
      const written = (start + rest).replaceAll(/\D/g, '')
      assert.ok(written.endsWith(number.nationalNumber), `${start}${rest} → ${read}`)
      const head = written.slice(0, -number.nationalNumber.length)
      const named = head.includes(number.countryCallingCode)
      assert.ok(named || number.countryCallingCode === getCountryCallingCode(first))
    })
    fc.assert(property, { numRuns: 3000 })
  })
})
