import { pickHeaders } from '../request/raw-headers.ts'

/**
 * A name as the least careful application reads it: CGI and its heirs turn everything that is no
 * letter or digit into `_`, so `X_Forwarded.User` is `x-forwarded-user`.
 */
export function foldName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-')
}

/** The options of a `Connection` header, lower case, added to `names` (RFC 9110 §7.6.1). */
export function addConnectionOptions(names: Set<string>, value: string): void {
  for (const option of value.split(',')) {
    const name = option.trim().toLowerCase()
    if (name !== '') names.add(name)
  }
}

/** What nearly every `Connection` header says, and what names no header. */
export const PLAIN_CONNECTION: ReadonlySet<string> = new Set([
  'keep-alive',
  'Keep-Alive',
  'close',
  'Close',
])

/** A flat list of names and values without the headers that are in `names` (lower case). */
export function withoutHeaders(headers: readonly string[], names: ReadonlySet<string>): string[] {
  return pickHeaders(headers, (name) => !names.has(name.toLowerCase()))
}
