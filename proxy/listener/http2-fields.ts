import type { IncomingHttpHeaders } from 'node:http2'

/** Header fields as HTTP/1.1 has them: a flat raw list, and by name. */
export type Http1Fields = {
  readonly rawHeaders: string[]
  readonly headers: IncomingHttpHeaders
}

/**
 * Header fields of HTTP/2 as those of HTTP/1.1 (RFC 9113 §8.2.3, §8.3.1): `:authority` becomes
 * `host`, and the pieces of `cookie` one. A `host` that says the same as `:authority` is one with it,
 * and one that says something else stays as a second, which nobody accepts.
 */
export function readFields(
  rawHeaders: readonly string[],
  headers: Readonly<IncomingHttpHeaders>,
): Http1Fields {
  const authority = headers[':authority']
  const raw = authority === undefined ? [] : ['host', authority]
  const cookies: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    const value = rawHeaders[i + 1] as string
    if (name.startsWith(':')) continue
    if (name === 'cookie') cookies.push(value)
    else if (name !== 'host' || value !== authority) raw.push(name, value)
  }
  if (cookies.length > 0) raw.push('cookie', cookies.join('; '))
  const named = Object.entries(headers).filter(([name]) => !name.startsWith(':'))
  return {
    rawHeaders: raw,
    headers: { ...Object.fromEntries(named), ...(authority !== undefined && { host: authority }) },
  }
}
