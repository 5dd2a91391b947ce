import { foldName } from './header-verdicts.ts'

/**
 * What a trailer must not say (RFC 9110 §6.5.1): framing, routing, who is asking, what the content
 * is, how it is cached and what a response does. Some recipients merge trailers into the headers.
 */
const UNSAFE: ReadonlySet<string> = new Set([
  ...['transfer-encoding', 'content-length', 'host', 'connection', 'te', 'trailer', 'upgrade'],
  ...['keep-alive', 'proxy-connection', 'expect', 'max-forwards', 'http2-settings'],
  ...['authorization', 'proxy-authorization', 'proxy-authenticate', 'www-authenticate'],
  ...['authentication-info', 'proxy-authentication-info', 'cookie', 'set-cookie', 'origin'],
  ...['content-encoding', 'content-type', 'content-range', 'content-location'],
  ...['content-disposition', 'content-security-policy', 'strict-transport-security'],
  ...['cache-control', 'pragma', 'age', 'expires', 'date', 'vary', 'warning', 'clear-site-data'],
  ...['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range', 'range'],
  ...['location', 'refresh', 'retry-after', 'link', 'alt-svc', 'forwarded', 'via'],
])

const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/

/** The names in a `Trailer` header that may pass; `mayPass` is what is said of such a header. */
export function announcedTrailers(value: string, mayPass: (name: string) => boolean): string[] {
  return value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => TOKEN.test(name) && !UNSAFE.has(foldName(name)) && mayPass(name))
}

/**
 * Those of the trailers (name, value, …; latin1) that are in `announced`, as node:http takes them;
 * undefined if there are none.
 */
export function pickTrailers(
  trailers: readonly string[],
  announced: readonly string[],
): Record<string, string[]> | undefined {
  const names = new Set(announced.map((name) => name.toLowerCase()))
  const picked = new Map<string, string[]>()
  for (let i = 0; i < trailers.length; i += 2) {
    const name = (trailers[i] as string).toLowerCase()
    if (!names.has(name)) continue
    const values = picked.get(name)
    if (values === undefined) picked.set(name, [trailers[i + 1] as string])
    else values.push(trailers[i + 1] as string)
  }
  return picked.size === 0 ? undefined : Object.fromEntries(picked)
}
