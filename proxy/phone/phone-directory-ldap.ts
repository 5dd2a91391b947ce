import type { CountryCode } from 'libphonenumber-js'
import type { LdapConfig } from '../config/config.ts'
import type { PartCheck } from '../part-check.ts'
import { createLdapConnection } from './ldap-connection.ts'
import { codeOfProblem, LdapProblemError, problemOf, referralDetail } from './ldap-problem.ts'
import type { LookupProblem, Person, PhoneDirectory, PhoneLookup } from './phone-directory.ts'
import { type DirectoryEntry, readNumbers } from './read-numbers.ts'
import { compileUserFilter } from './user-filter.ts'

export type LdapDirectoryOptions = {
  /** For a whole look-up or check, in ms; 5000 by default. */
  readonly timeout?: number
  /** PEM; instead of reading `config.caFile`. */
  readonly ca?: string
  readonly log?: (event: LdapEvent) => void
}

/** What happened to the connection; `code` is an LDAP result code or Node's error code. */
export type LdapEvent =
  | { readonly event: 'ldap.connected' }
  | { readonly event: 'ldap.failed'; readonly reason: LookupProblem; readonly code?: string }

/**
 * Numbers from an LDAP directory (RFC 4511), read anew at each look-up. Connects at the first use
 * and heals by itself. Throws `UserFilterError` or `LdapProblemError` at once for a filter or
 * credentials that can't be used.
 */
export function createLdapDirectory(
  config: LdapConfig,
  bindPassword: string,
  countries: readonly [CountryCode, ...CountryCode[]],
  options: LdapDirectoryOptions = {},
): PhoneDirectory {
  const { timeout = 5000, ca, log } = options
  const template = compileUserFilter(config.userFilter)
  const connection = createLdapConnection(config, bindPassword, {
    timeout,
    ...(ca !== undefined && { ca }),
    onOpen: () => log?.({ event: 'ldap.connected' }),
    onProblem: (problem) => log?.(failedEvent(problem)),
  })
  let searchProved = false
  const attributes = [...new Set([...config.phoneAttributes, ...template.attributes])]

  async function lookUp(person: Person): Promise<PhoneLookup> {
    const entry = await findEntry(person)
    if (!template.names(entry, person)) {
      throw new LdapProblemError('no_entry', 'The entry that matches bears a different name.')
    }
    const read = readNumbers(entry, config.phoneAttributes, countries)
    if (read.kind !== 'unreadable') return read
    throw new LdapProblemError(
      'unreadable_number',
      'The number on record is no phone number, has an extension, or could be read in two ways: write it with + and country code.',
    )
  }

  async function findEntry(person: Person): Promise<DirectoryEntry> {
    const filled = template.fill(person)
    if (filled.kind === 'missing') {
      throw new LdapProblemError(
        'no_entry',
        `The user filter needs {${filled.value}}, which the provider did not give.`,
      )
    }
    const { filter } = filled
    const request = { scope: 'sub', filter, attributes, sizeLimit: 2 } as const
    return onlyEntry(await search(request, AbortSignal.timeout(timeout)))
  }

  function search(request: SearchRequest, signal: AbortSignal): Promise<SearchAnswer> {
    const timeLimit = Math.ceil(timeout / 1000)
    return connection.use(
      (client) => client.search(config.baseDn, { ...request, timeLimit }),
      signal,
    )
  }

  async function check(): Promise<PartCheck> {
    const signal = AbortSignal.timeout(timeout)
    const base = await search({ scope: 'base', attributes: ['1.1'], sizeLimit: 1 }, signal)
    if (base.searchEntries.length === 0) {
      const detail = 'STEPGATE_LDAP_BASE_DN is not there, or the service account may not see it.'
      return { kind: 'problem', detail }
    }
    if (!searchProved) await proveSearch(signal)
    return { kind: 'ok', detail: 'Bound as the service account; the search base is there.' }
  }

  /** Once only, since readyz asks often: a search as a look-up does it, for somebody invented. */
  async function proveSearch(signal: AbortSignal): Promise<void> {
    const filled = template.fill(NOBODY)
    if (filled.kind === 'missing') return
    const { filter } = filled
    const request: SearchRequest = { scope: 'sub', filter, attributes: ['1.1'], sizeLimit: 1 }
    const answer = await search(request, signal)
    if (answer.searchReferences.length > 0) throw new LdapProblemError('referral', referralDetail)
    searchProved = true
  }

  return {
    lookUp: (person) =>
      lookUp(person).catch((error: unknown) => {
        const { reason, detail } = problemOf(error, 'search')
        return { kind: 'unavailable', reason, detail }
      }),
    check: () =>
      check().catch((error: unknown) => ({
        kind: 'problem',
        detail: problemOf(error, 'search').detail,
      })),
    close: () => connection.close(),
  }
}

const NOBODY: Person = {
  subject: 'stepgate-check',
  username: 'stepgate-check',
  email: 'stepgate-check@invalid',
}

type SearchRequest = {
  readonly scope: 'base' | 'sub'
  readonly filter?: string
  readonly attributes: string[]
  readonly sizeLimit: number
}

type SearchAnswer = {
  readonly searchEntries: readonly DirectoryEntry[]
  readonly searchReferences: readonly string[]
}

function onlyEntry({ searchEntries, searchReferences }: SearchAnswer): DirectoryEntry {
  const [entry, second] = searchEntries
  if (second) throw new LdapProblemError('several_entries', 'More than one entry matches.')
  if (searchReferences.length > 0) throw new LdapProblemError('referral', referralDetail)
  if (!entry) throw new LdapProblemError('no_entry', 'No entry matches.')
  return entry
}

function failedEvent(problem: LdapProblemError): LdapEvent {
  const code = codeOfProblem(problem)
  return { event: 'ldap.failed', reason: problem.reason, ...(code !== undefined && { code }) }
}
