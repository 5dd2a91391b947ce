import type { UpstreamAddress } from './config.ts'
import { isLoopbackHost } from './loopback.ts'
import { ok, type Parsed, wrong } from './parsed.ts'

type UrlParts = { readonly schemes: readonly string[]; readonly path: 'none' | 'allowed' }

/** The base URL that browsers use: an origin, https unless the host is loopback. */
export function parsePublicUrl(text: string): Parsed<URL> {
  return httpsUnlessLoopback(parseUrl(text, { schemes: ['https', 'http'], path: 'none' }))
}

/** The provider's issuer: like the public URL, but it may have a path. */
export function parseIssuer(text: string): Parsed<URL> {
  if (text.includes('/.well-known/')) {
    return wrong('it must be the issuer alone, without /.well-known/…')
  }
  return httpsUnlessLoopback(parseUrl(text, { schemes: ['https', 'http'], path: 'allowed' }))
}

/** A base URL of an HTTP API, perhaps with a path. */
export function parseApiUrl(text: string): Parsed<URL> {
  return parseUrl(text, { schemes: ['https', 'http'], path: 'allowed' })
}

/** `ldap://host[:port]` or `ldaps://host[:port]`. */
export function parseLdapUrl(text: string): Parsed<URL> {
  return parseUrl(text, { schemes: ['ldaps', 'ldap'], path: 'none' })
}

/** An address of an application: an http or https origin, or `unix:` and the absolute path of a socket. */
export function parseUpstream(text: string): Parsed<UpstreamAddress> {
  if (text.startsWith('unix:')) {
    const path = parseSocketPath(text)
    return path.kind === 'ok' ? ok({ kind: 'unix', path: path.value }) : path
  }
  const url = parseUrl(text, { schemes: ['http', 'https'], path: 'none' })
  return url.kind === 'ok' ? ok({ kind: 'tcp', origin: url.value }) : url
}

/** An address as it may be written, for messages and logs; it holds no secret. */
export function writeAddress(address: UpstreamAddress): string {
  return address.kind === 'unix' ? `unix:${address.path}` : address.origin.origin
}

/** The path in `unix:/path.sock`; an address holds at most 107 bytes (unix(7)). */
export function parseSocketPath(text: string): Parsed<string> {
  const path = text.slice('unix:'.length)
  if (!path.startsWith('/')) return wrong('the path after unix: must be absolute')
  if (Buffer.byteLength(path) > 107) return wrong('a socket path has at most 107 bytes')
  return ok(path)
}

function parseUrl(text: string, { schemes, path }: UrlParts): Parsed<URL> {
  const begins = schemes.some((scheme) => text.toLowerCase().startsWith(`${scheme}://`))
  if (!begins) {
    return wrong(`it must begin with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`)
  }
  const url = URL.parse(text)
  // The URL parser drops tabs and line breaks, and takes `*` for a host.
  if (!url || /\s/.test(text) || !/^(\[.+\]|[\w.-]+)$/.test(url.hostname)) {
    return wrong('it is no URL with a host')
  }
  if (url.username || url.password) return wrong('it must not hold a user name or password')
  if (/[?#]/.test(text)) return wrong('it must not have a query or fragment')
  if (path === 'none' && !['', '/'].includes(url.pathname)) {
    return wrong('it must end after the host and port, without a path')
  }
  return ok(url)
}

function httpsUnlessLoopback(parsed: Parsed<URL>): Parsed<URL> {
  if (parsed.kind === 'wrong') return parsed
  const { protocol, hostname } = parsed.value
  return protocol === 'https:' || isLoopbackHost(hostname)
    ? parsed
    : wrong('it must begin with https:// unless the host is loopback (localhost, 127.0.0.1, [::1])')
}
