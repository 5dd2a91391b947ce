/** stepgate's cookie names, ready to be looked for. */
export type OwnCookies = {
  readonly names: ReadonlySet<string>
  readonly lowerNames: ReadonlySet<string>
  /** Lower case; a text that holds none of these holds no own cookie. */
  readonly roots: readonly string[]
}

/** Prepares the exact names; chunks of them (`name.1`) count as own too. */
export function compileOwnCookies(names: readonly string[]): OwnCookies {
  const lower = names.map((name) => name.toLowerCase())
  return {
    names: new Set(names),
    lowerNames: new Set(lower),
    roots: lower.filter((name) => !lower.some((root) => root !== name && name.startsWith(root))),
  }
}

/** A `Cookie` header without stepgate's cookies, everything else byte for byte; '' if none is left. */
export function withoutOwnCookies(cookie: string, own: OwnCookies): string {
  if (!mentionsOwn(cookie, own)) return cookie
  const pairs = cookie.split(';')
  const rest = pairs.filter((pair) => !isOwn(nameOf(pair), own.names))
  if (rest.length === pairs.length) return cookie
  const joined = rest.join(';').trimStart()
  return /[^;\s]/.test(joined) ? joined : ''
}

/**
 * Whether a `Set-Cookie` header would make browsers send a cookie under one of stepgate's names, in
 * any case. A nameless cookie (`=name=value`) is sent as `name=value`, so leading `=` are skipped.
 */
export function setsOwnCookie(setCookie: string, own: OwnCookies): boolean {
  if (!mentionsOwn(setCookie, own)) return false
  const pair = setCookie.split(';', 1)[0] as string
  return isOwn(nameOf(pair.replace(/^[\s=]+/, '')).toLowerCase(), own.lowerNames)
}

function mentionsOwn(text: string, own: OwnCookies): boolean {
  const lower = text.toLowerCase()
  return own.roots.some((root) => lower.includes(root))
}

function nameOf(pair: string): string {
  const end = pair.indexOf('=')
  return (end < 0 ? pair : pair.slice(0, end)).trim()
}

function isOwn(name: string, names: ReadonlySet<string>): boolean {
  if (names.has(name)) return true
  const dot = name.lastIndexOf('.')
  return dot > 0 && names.has(name.slice(0, dot)) && /^\d+$/.test(name.slice(dot + 1))
}
