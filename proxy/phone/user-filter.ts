import { Filter, FilterParser } from 'ldapts'
import type { Person } from './phone-directory.ts'
import { type DirectoryEntry, valuesOf } from './read-numbers.ts'

/** The template of `STEPGATE_LDAP_USER_FILTER` can't be used; says why. */
export class UserFilterError extends Error {
  override name = 'UserFilterError'
  readonly code = 'ERR_USER_FILTER'
}

/** A search filter for one person; `missing` names what the template needs and the person lacks. */
export type UserFilter = { kind: 'filter'; filter: string } | { kind: 'missing'; value: string }

export type UserFilterTemplate = {
  fill(person: Person): UserFilter
  /** Attributes that `names` looks at. */
  readonly attributes: readonly string[]
  /** Whether the entry that the directory chose is really this person's. */
  names(entry: DirectoryEntry, person: Person): boolean
}

const PLACEHOLDER = /\{(\w*)\}/g
const EQUALITY = /\(\s*([\w-]+)=\{(\w+)\}\)/g

/**
 * Compiles a filter (RFC 4515) with `{username}`, `{sub}`, `{email}`; values are escaped. Throws
 * `UserFilterError` when it does not parse or would match whoever asks.
 */
export function compileUserFilter(template: string): UserFilterTemplate {
  const placeholders = [...template.matchAll(PLACEHOLDER)].map(([, name]) => name ?? '')
  refuseUnusable(template, placeholders)
  const equalities = [...template.matchAll(EQUALITY)].map(([, attribute = '', name = '']) => ({
    attribute,
    name,
  }))

  return {
    attributes: equalities.map(({ attribute }) => attribute),

    fill(person) {
      const lacking = placeholders.find((name) => !isUsable(claimOf(person, name)))
      if (lacking !== undefined) return { kind: 'missing', value: lacking }
      return { kind: 'filter', filter: substitute(template, (name) => claimOf(person, name) ?? '') }
    },

    // Directories compare loosely: OpenLDAP takes full-width letters for plain ones, others ignore
    // accents. Whom the provider keeps apart from Alice must not get Alice's number.
    names(entry, person) {
      const seen = equalities.map(({ attribute, name }) => ({
        held: valuesOf(entry, attribute),
        value: claimOf(person, name) ?? '',
      }))
      // What we may not read we can't compare: then the directory's own comparison has to do.
      if (seen.length === 0 || seen.some(({ held }) => held.length === 0)) return true
      return seen.some(({ held, value }) => held.some((text) => isSameName(text, value)))
    },
  }
}

function refuseUnusable(template: string, placeholders: readonly string[]): void {
  if (placeholders.length === 0) {
    throw new UserFilterError('The filter holds none of {username}, {sub}, {email}')
  }
  const unknown = placeholders.find((name) => !['username', 'sub', 'email'].includes(name))
  if (unknown !== undefined) throw new UserFilterError(`The filter holds {${unknown}}`)
  try {
    FilterParser.parseString(substitute(template, () => 'x'))
  } catch (cause) {
    throw new UserFilterError('The filter does not parse, e.g. (uid={username})', { cause })
  }
}

function substitute(template: string, value: (name: string) => string): string {
  return template.replaceAll(PLACEHOLDER, (_, name: string) => Filter.escape(value(name)))
}

function claimOf(person: Person, name: string): string | undefined {
  if (name === 'username') return person.username
  return name === 'sub' ? person.subject : person.email
}

/** A lone surrogate would be sent as another character. */
function isUsable(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== '' && value.isWellFormed()
}

/** Equal but for case and the directory's spare blanks; no other letters fold onto ASCII. */
function isSameName(held: string, value: string): boolean {
  const tidy = held.trim().replaceAll(/\s+/g, ' ')
  return isAscii(tidy) === isAscii(value) && fold(tidy) === fold(value)
}

function isAscii(text: string): boolean {
  return /^\p{ASCII}*$/u.test(text)
}

function fold(text: string): string {
  return text.normalize('NFC').toLowerCase()
}
