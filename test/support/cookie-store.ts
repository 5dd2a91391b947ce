/** One cookie as a browser keeps it (RFC 6265bis §5.7). Times are epoch milliseconds. */
export type Cookie = {
  readonly name: string
  readonly value: string
  readonly domain: string
  readonly hostOnly: boolean
  readonly path: string
  readonly secure: boolean
  readonly httpOnly: boolean
  readonly sameSite: 'lax' | 'strict' | 'none'
  /** `undefined` ends with the browser. */
  readonly expires: number | undefined
  readonly createdAt: number
}

/** How a request came about, as far as SameSite asks. */
export type CookieContext = { readonly crossSite: boolean; readonly safeMethod: boolean }

/** A browser's cookies. They ignore ports, as in a browser: one host, one set. */
export type CookieStore = {
  /** Takes one `Set-Cookie` value; says whether a browser would have kept it. */
  set(url: URL, header: string): boolean
  /** The cookies that would be sent, in the order in which they would be. */
  matching(url: URL, context?: CookieContext): Cookie[]
  all(): Cookie[]
  clear(): void
}

const MAX_NAME_VALUE_BYTES = 4096
const SAME_SITE: CookieContext = { crossSite: false, safeMethod: true }

/** `now` gives epoch milliseconds. */
export function createCookieStore(now: () => number, initial: Iterable<Cookie> = []): CookieStore {
  const cookies = new Map<string, Cookie>()
  for (const cookie of initial) cookies.set(keyOf(cookie), cookie)

  return {
    set(url, header) {
      const parsed = parseSetCookie(url, header, now())
      if (!parsed || !isAcceptable(url, header, parsed)) return false
      const key = keyOf(parsed)
      const known = cookies.get(key)
      if (known?.secure && !isTrustworthy(url)) return false
      if (parsed.expires !== undefined && parsed.expires <= now()) cookies.delete(key)
      else cookies.set(key, { ...parsed, createdAt: known?.createdAt ?? parsed.createdAt })
      return true
    },
    matching(url, context = SAME_SITE) {
      return [...cookies.values()]
        .filter((cookie) => applies(cookie, url, context, now()))
        .sort((a, b) => b.path.length - a.path.length || a.createdAt - b.createdAt)
    },
    all: () => [...cookies.values()],
    clear: () => cookies.clear(),
  }
}

function parseSetCookie(url: URL, header: string, now: number): Cookie | undefined {
  const [pair = '', ...attributes] = header.split(';')
  const equals = pair.indexOf('=')
  if (equals < 1) return undefined
  const attribute = new Map<string, string>()
  for (const part of attributes) {
    const [name = '', ...value] = part.split('=')
    attribute.set(name.trim().toLowerCase(), value.join('=').trim())
  }
  const domain = (attribute.get('domain') ?? '').replace(/^\./, '').toLowerCase()
  const path = attribute.get('path') ?? ''
  return {
    name: pair.slice(0, equals).trim(),
    value: pair.slice(equals + 1).trim(),
    domain: domain || url.hostname,
    hostOnly: domain === '' || domain === url.hostname,
    path: path.startsWith('/') ? path : defaultPath(url),
    secure: attribute.has('secure'),
    httpOnly: attribute.has('httponly'),
    sameSite: sameSiteOf(attribute.get('samesite')),
    expires: expiryOf(attribute, now),
    createdAt: now,
  }
}

function sameSiteOf(value: string | undefined): Cookie['sameSite'] {
  const asked = value?.toLowerCase()
  return asked === 'strict' || asked === 'none' ? asked : 'lax'
}

function expiryOf(attribute: ReadonlyMap<string, string>, now: number): number | undefined {
  const maxAge = attribute.get('max-age')
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) return now + Number(maxAge) * 1000
  const expires = Date.parse(attribute.get('expires') ?? '')
  return Number.isNaN(expires) ? undefined : expires
}

function isAcceptable(url: URL, header: string, cookie: Cookie): boolean {
  const { name, value, domain, secure } = cookie
  if (Buffer.byteLength(name) + Buffer.byteLength(value) > MAX_NAME_VALUE_BYTES) return false
  if (domain !== url.hostname && !isParentDomain(domain, url.hostname)) return false
  if (secure && !isTrustworthy(url)) return false
  if (cookie.sameSite === 'none' && !secure) return false
  if (/^__secure-/i.test(name) && !secure) return false
  const asksForDomain = /;\s*domain\s*=\s*[^;\s]/i.test(header)
  const asksForRoot = /;\s*path\s*=\s*\/\s*(;|$)/i.test(header)
  return !/^__host-/i.test(name) || (secure && asksForRoot && !asksForDomain)
}

// A domain without a dot stands for a public suffix.
function isParentDomain(domain: string, host: string): boolean {
  return domain.includes('.') && host.endsWith(`.${domain}`) && !/^[\d.]+$/.test(host)
}

function applies(cookie: Cookie, url: URL, context: CookieContext, now: number): boolean {
  if (cookie.expires !== undefined && cookie.expires <= now) return false
  if (cookie.secure && !isTrustworthy(url)) return false
  const host = url.hostname
  if (cookie.domain !== host && (cookie.hostOnly || !host.endsWith(`.${cookie.domain}`))) {
    return false
  }
  if (!pathMatches(cookie.path, url.pathname)) return false
  if (!context.crossSite || cookie.sameSite === 'none') return true
  return cookie.sameSite === 'lax' && context.safeMethod
}

function pathMatches(path: string, requested: string): boolean {
  if (!requested.startsWith(path)) return false
  return path.endsWith('/') || requested.length === path.length || requested[path.length] === '/'
}

function defaultPath(url: URL): string {
  const end = url.pathname.lastIndexOf('/')
  return end > 0 ? url.pathname.slice(0, end) : '/'
}

/** Browsers treat loopback as they treat https (Secure Contexts §3.1). */
function isTrustworthy({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || /^(127\.[\d.]+|\[::1\]|localhost|.+\.localhost)$/.test(hostname)
}

function keyOf({ name, domain, path }: Cookie): string {
  return `${domain};${path};${name}`
}
