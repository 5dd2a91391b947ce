import type { HeaderTemplate } from './config.ts'
import { ok, type Parsed, wrong } from './parsed.ts'

/** What the application is told when `STEPGATE_HEADERS` says nothing else. */
export const DEFAULT_HEADERS: readonly HeaderTemplate[] = [
  { name: 'X-Forwarded-User', value: '{username}' },
  { name: 'X-Forwarded-Email', value: '{email}' },
  { name: 'X-Forwarded-Preferred-Username', value: '{username}' },
  { name: 'X-Forwarded-Groups', value: '{groups}' },
  { name: 'X-Stepgate-Subject', value: '{subject}' },
  { name: 'X-Stepgate-Acr', value: '{acr}' },
  { name: 'X-Stepgate-Amr', value: '{amr}' },
  { name: 'X-Stepgate-Auth-Time', value: '{auth_time}' },
  { name: 'X-Stepgate-Otp-Time', value: '{otp_time}' },
]

/** What a template can hold in braces. */
export const PLACEHOLDERS: readonly string[] = [
  '{username}',
  '{email}',
  '{name}',
  '{groups}',
  '{subject}',
  '{acr}',
  '{amr}',
  '{auth_time}',
  '{otp_time}',
  '{client_address}',
  '{secret}',
]

const CLIENT_ADDRESS = '{client_address}'

/** Whether a header holds the client's address, which is known of each request, with or without a session. */
export function holdsClientAddress({ value }: HeaderTemplate): boolean {
  return value === CLIENT_ADDRESS
}

/** Headers of the connection, of the body and of the target: an identity must not overwrite them. */
const RESERVED = new Set(
  `connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer
  transfer-encoding upgrade expect http2-settings host content-length content-type content-encoding
  cookie set-cookie forwarded x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-port
  x-request-id x-stepgate-assertion x-original-url x-rewrite-url x-http-method x-http-method-override
  x-method-override`.split(/\s+/),
)

/** One form for all spellings that an application may take for the same header. */
function headerKey(name: string): string {
  return name.toLowerCase().replaceAll('_', '-')
}

/**
 * Reads `Name={template}` entries separated by `;` or line breaks into changes of the defaults; an
 * empty value takes a default away. Problems name entries by their header, never by their value.
 */
export function parseHeaders(text: string): Parsed<readonly HeaderTemplate[]> {
  const entries = text
    .split(/[;\r\n]+/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map(splitEntry)
  const keys = entries.map(({ name }) => headerKey(name))
  const problems = entries.flatMap((entry, index) => {
    const problem =
      problemOf(entry) ??
      (keys.indexOf(headerKey(entry.name)) < index ? 'is there twice' : undefined)
    return problem ? [`entry ${index + 1}, ${JSON.stringify(entry.name)}, ${problem}`] : []
  })
  return problems.length > 0
    ? wrong(...problems)
    : ok(entries.map(({ name, value = '' }) => ({ name, value })))
}

/** The defaults with the changes made: same name replaces, an empty value removes, others follow. */
export function mergeHeaders(changes: readonly HeaderTemplate[]): readonly HeaderTemplate[] {
  const changed = new Map(changes.map((change) => [headerKey(change.name), change]))
  const kept = DEFAULT_HEADERS.map((header) => changed.get(headerKey(header.name)) ?? header)
  const added = changes.filter((change) => !isDefault(change.name))
  return [...kept, ...added].filter(({ value }) => value !== '')
}

/** The changes that `mergeHeaders` turns into these headers, with every header in them. */
export function headersAsChanges(headers: readonly HeaderTemplate[]): readonly HeaderTemplate[] {
  const present = new Set(headers.map(({ name }) => headerKey(name)))
  const removed = DEFAULT_HEADERS.filter(({ name }) => !present.has(headerKey(name)))
  return [...headers, ...removed.map(({ name }) => ({ name, value: '' }))]
}

/** `value` is absent where the entry has no `=`. */
type Entry = { readonly name: string; readonly value?: string }

function splitEntry(entry: string): Entry {
  const at = entry.indexOf('=')
  // Without `=` it may be part of a secret that held a `;`: show the beginning only.
  if (at < 0) return { name: `${entry.slice(0, 3)}…` }
  return { name: entry.slice(0, at).trim(), value: entry.slice(at + 1).trim() }
}

function problemOf({ name, value }: Entry): string | undefined {
  if (value === undefined) return 'must be written Name={template}'
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return 'has no header name before the ='
  if (RESERVED.has(headerKey(name))) return 'is a header that stepgate or HTTP itself sets'
  if (value === '') return isDefault(name) ? undefined : 'is empty, and is no default to take away'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not get into a header
  if (/[\u0000-\u001f\u007f]/.test(value)) return 'holds a control character'
  return placeholderProblem(value) ?? credentialProblem(value)
}

function placeholderProblem(value: string): string | undefined {
  const placeholders = value.match(/\{[^{}]*\}/g) ?? []
  const rest = value.replace(/\{[^{}]*\}/g, '')
  const known = placeholders.every((placeholder) => PLACEHOLDERS.includes(placeholder))
  if (value.includes(CLIENT_ADDRESS) && value !== CLIENT_ADDRESS) {
    return `may hold nothing beside ${CLIENT_ADDRESS}`
  }
  return known && !/[{}]/.test(rest)
    ? undefined
    : `may hold in braces only ${PLACEHOLDERS.join(', ')}`
}

/** A password in a template would be printed with the configuration. */
function credentialProblem(value: string): string | undefined {
  const match = /^(?<scheme>basic|bearer)\s+(?<rest>.*)$/i.exec(value)
  if (!match?.groups) return undefined
  const { scheme = '', rest = '' } = match.groups
  const basic = scheme.toLowerCase() === 'basic'
  if (basic && !value.startsWith('Basic ')) return 'must begin with "Basic " in this spelling'
  const colon = rest.indexOf(':')
  if (basic && colon < 0) return 'needs user:password after Basic (RFC 7617), not encoded'
  const credential = basic ? rest.slice(colon + 1) : rest
  return credential.replace(/\{\w+\}/g, '').trim() === ''
    ? undefined
    : 'holds a credential; put that in STEPGATE_HEADERS_SECRET and write {secret} here'
}

function isDefault(name: string): boolean {
  return DEFAULT_HEADERS.some((header) => headerKey(header.name) === headerKey(name))
}
