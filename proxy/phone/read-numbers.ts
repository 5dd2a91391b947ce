import type { CountryCode } from 'libphonenumber-js'
import { toE164 } from './e164.ts'

/** Attributes of one directory entry under the names that the server gave them. */
export type DirectoryEntry = Readonly<Record<string, AttributeValue>>

type AttributeValue = string | Buffer | readonly (string | Buffer)[]

/** `unreadable`: there is something, but no number that we dare to use; not the same as `none`. */
export type NumbersRead =
  | { kind: 'found'; numbers: readonly [string, ...string[]] }
  | { kind: 'none' }
  | { kind: 'unreadable' }

/**
 * The E.164 numbers of the first of `attributes` that holds any, in the entry's order, without
 * duplicates. Names match in any case and with options (`mobile;lang-de`). A value is a number, or
 * JSON as in Gluu's `oxMobileDevices`: `{"phones":[{"number":"…"}]}` or that array alone. What is
 * not readable beside a number that is, is left out.
 */
export function readNumbers(
  entry: DirectoryEntry,
  attributes: readonly string[],
  countries: readonly [CountryCode, ...CountryCode[]],
): NumbersRead {
  let unreadable = false
  for (const attribute of attributes) {
    const written = valuesOf(entry, attribute).flatMap(numbersIn)
    const read = written.map((text) => (text === null ? undefined : toE164(text, countries)))
    const [first, ...others] = new Set(read.filter((number) => number !== undefined))
    if (first !== undefined) return { kind: 'found', numbers: [first, ...others] }
    if (written.length > 0) unreadable = true
  }
  return { kind: unreadable ? 'unreadable' : 'none' }
}

/** The values of an attribute as text; blank ones count as absent. */
export function valuesOf(entry: DirectoryEntry, attribute: string): string[] {
  const name = attribute.toLowerCase()
  return Object.entries(entry)
    .filter(([key]) => key.toLowerCase() === name || key.toLowerCase().startsWith(`${name};`))
    .flatMap(([, value]) => (isList(value) ? value : [value]))
    .map((value) => (typeof value === 'string' ? value : value.toString('utf8')))
    .filter((text) => text.trim() !== '')
}

function isList(value: AttributeValue): value is readonly (string | Buffer)[] {
  return Array.isArray(value)
}

/** The texts in one value that should be numbers; null stands for one that can't be. */
function numbersIn(value: string): (string | null)[] {
  return /^\s*[[{]/.test(value) ? numbersInJson(value) : [value]
}

function numbersInJson(value: string): (string | null)[] {
  let json: unknown
  try {
    json = JSON.parse(value)
  } catch {
    return [null]
  }
  if (Array.isArray(json)) return json.map(numberOfPhone)
  const phones = (json as { phones?: unknown }).phones
  if (Array.isArray(phones)) return phones.map(numberOfPhone)
  return Object.keys(json as object).length === 0 ? [] : [null]
}

function numberOfPhone(phone: unknown): string | null {
  const number = (phone as { number?: unknown } | null)?.number
  if (Number.isSafeInteger(number)) return String(number)
  return typeof number === 'string' ? number : null
}
