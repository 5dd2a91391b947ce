/** stepgate's cookies as they are called at this installation. */
export type CookieNames = {
  readonly session: string
  readonly browser: string
  readonly resume: string
}

/** `publicUrl` decides about `__Host-` and `Secure`: only a loopback http URL goes without. */
export type CookieSettings = { readonly publicUrl: URL }

/** The value can't stand in a cookie: a mistake of ours, for nobody else chooses values. */
export class CookieValueError extends Error {
  readonly code = 'cookie_value'
  constructor(name: string) {
    super(`The value for the cookie ${name} has characters that a cookie can not hold`)
    this.name = 'CookieValueError'
  }
}

/** Names with `__Host-` (RFC 6265bis §4.1.3.2), without it where browsers would refuse that. */
export function cookieNames(publicUrl: URL): CookieNames {
  const prefix = isSecure(publicUrl) ? '__Host-' : ''
  return {
    session: `${prefix}stepgate`,
    browser: `${prefix}stepgate-browser`,
    resume: `${prefix}stepgate-resume`,
  }
}

/** A `Set-Cookie` value; the cookie ends with the browser. Throws `CookieValueError`. */
export function serializeCookie(name: string, value: string, settings: CookieSettings): string {
  // cookie-octet of RFC 6265 §4.1.1
  if (!/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/.test(value)) throw new CookieValueError(name)
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Lax${isSecure(settings.publicUrl) ? '; Secure' : ''}`
}

/** A `Set-Cookie` value that removes the cookie. */
export function clearCookie(name: string, settings: CookieSettings): string {
  return `${serializeCookie(name, '', settings)}; Max-Age=0`
}

/**
 * The cookie's value out of a request's Cookie header (node:http has joined several as RFC 6265
 * would have sent them); undefined when it is absent or empty, and when there are two of different
 * value: one of them was planted, and nothing tells which.
 */
export function readCookie(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined
  let found: string | undefined
  for (let start = 0; start < header.length; ) {
    const semicolon = header.indexOf(';', start)
    const end = semicolon === -1 ? header.length : semicolon
    const value = pairValue(header, start, end, name)
    if (value !== undefined && found !== undefined && value !== found) return undefined
    found ??= value
    start = end + 1
  }
  return found === '' ? undefined : found
}

/** The value of the pair between `start` and `end`, if it is one of this name. */
function pairValue(header: string, start: number, end: number, name: string): string | undefined {
  let at = start
  while (header[at] === ' ' || header[at] === '\t') at++
  const equals = at + name.length
  if (equals >= end || header[equals] !== '=' || !header.startsWith(name, at)) return undefined
  return header.slice(equals + 1, end).trim()
}

function isSecure(publicUrl: URL): boolean {
  return publicUrl.protocol === 'https:'
}
