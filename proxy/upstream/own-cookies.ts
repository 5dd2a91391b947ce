/** stepgate's cookie names, ready to be looked for. */
export type OwnCookies = {
  readonly names: ReadonlySet<string>
  readonly lowerNames: ReadonlySet<string>
  /** A text that holds none of these holds no own cookie. */
  readonly roots: readonly string[]
  /** The same in lower case. */
  readonly lowerRoots: readonly string[]
}

/** Prepares the exact names; chunks of them (`name.1`) count as own too. */
export function compileOwnCookies(names: readonly string[]): OwnCookies {
  const lower = names.map((name) => name.toLowerCase())
  return {
    names: new Set(names),
    lowerNames: new Set(lower),
    roots: rootsOf(names),
    lowerRoots: rootsOf(lower),
  }
}

function rootsOf(names: readonly string[]): string[] {
  return names.filter((name) => !names.some((root) => root !== name && name.startsWith(root)))
}

/** A `Cookie` header without stepgate's cookies, everything else byte for byte; '' if none is left. */
export function withoutOwnCookies(cookie: string, own: OwnCookies): string {
  if (!own.roots.some((root) => cookie.includes(root))) return cookie
  const rest: string[] = []
  let pairs = 0
  for (let start = 0; start <= cookie.length; pairs++) {
    const semicolon = cookie.indexOf(';', start)
    const end = semicolon < 0 ? cookie.length : semicolon
    if (!isOwn(nameOf(cookie, start, end), own.names)) rest.push(cookie.slice(start, end))
    start = end + 1
  }
  if (rest.length === pairs) return cookie
  const joined = rest.join(';').trimStart()
  return /[^;\s]/.test(joined) ? joined : ''
}

/**
 * Whether a `Set-Cookie` header would make browsers send a cookie under one of stepgate's names, in
 * any case. A nameless cookie (`=name=value`) is sent as `name=value`, so leading `=` are skipped.
 */
export function setsOwnCookie(setCookie: string, own: OwnCookies): boolean {
  const lower = setCookie.toLowerCase()
  if (!own.lowerRoots.some((root) => lower.includes(root))) return false
  const pair = setCookie.split(';', 1)[0] as string
  return isOwn(nameOf(pair.replace(/^[\s=]+/, '')).toLowerCase(), own.lowerNames)
}

/** The name in the pair from `start` to `end`; the value is long, and not looked at. */
function nameOf(text: string, start = 0, end = text.length): string {
  const equals = text.indexOf('=', start)
  return text.slice(start, equals < 0 || equals > end ? end : equals).trim()
}

function isOwn(name: string, names: ReadonlySet<string>): boolean {
  if (names.has(name)) return true
  const dot = name.lastIndexOf('.')
  return dot > 0 && names.has(name.slice(0, dot)) && /^\d+$/.test(name.slice(dot + 1))
}
