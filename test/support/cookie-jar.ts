import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { Agent, request } from 'undici'
import { type Cookie, createCookieStore } from './cookie-store.ts'

/** An answer with its body read. */
export type Page = {
  readonly url: URL
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer
  /** Where a redirect points to, made absolute; absent when it is none. */
  readonly location?: URL
  /** What was asked; `follow` carries it on. */
  readonly request: { readonly method: string; readonly site: Site; readonly form?: Form }
  text(): string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into JSON of any shape
  json(): any
}

/** What a browser says in Sec-Fetch-Site (W3C Fetch Metadata §2.3). */
export type Site = 'none' | 'same-origin' | 'same-site' | 'cross-site'

/** What a request may ask for besides its address. Header names ignore case. */
export type RequestOptions = {
  /** Set last, so that they can replace what the browser would send; `undefined` leaves one out. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>
  /**
   * The page on which the link or form was. By default a `get` is typed into the address bar and a
   * `post` comes from the same origin.
   */
  readonly from?: URL | string
}

/** What `post` sends: fields as a form, or bytes or text as they are. */
export type Form = Readonly<Record<string, string>> | URLSearchParams | string | Uint8Array

/** Behaves like one browser: cookies, redirects one at a time, and the headers of a navigation. */
export type Client = {
  get(url: URL | string, options?: RequestOptions): Promise<Page>
  post(url: URL | string, form: Form, options?: RequestOptions): Promise<Page>
  /** Any method and body. Form fields are sent urlencoded. */
  request(
    method: string,
    url: URL | string,
    options?: RequestOptions & { readonly form?: Form },
  ): Promise<Page>
  /** Goes on to where a redirect points; fails when `page` is none. */
  follow(page: Page): Promise<Page>
  /** Follows redirects until there is none, or until `until` says so of a target. */
  followAll(page: Page, until?: (target: URL) => boolean): Promise<Page>
  /** Names and values of the cookies that would be sent to this address. */
  cookies(url: URL | string): Record<string, string>
  /** The same cookies with their attributes. */
  cookieList(url: URL | string): Cookie[]
  /** Takes a `Set-Cookie` value as if it came from this address; false when a browser would not. */
  setCookie(url: URL | string, header: string): boolean
  /** `Set-Cookie` values that were refused, newest last. */
  refusedCookies(): string[]
  clearCookies(): void
  /** Another browser with a copy of the cookies of now. */
  copy(): Client
  close(): Promise<void>
}

const MAX_REDIRECTS = 20

/** A browser for tests. It reaches nothing but this machine, under whatever `*.test` name. */
export function createClient(
  options: {
    /** Epoch milliseconds. */
    readonly now?: () => number
    /** Sent as Accept-Language. */
    readonly language?: string
    readonly cookies?: Iterable<Cookie>
    /** Trusted beside the machine's own, in PEM. */
    readonly ca?: string
  } = {},
): Client {
  const { now = Date.now, language = 'en', ca } = options
  const store = createCookieStore(now, options.cookies)
  const refused: string[] = []
  const agent = new Agent({ connect: { lookup: lookUpHere, ...(ca ? { ca } : {}) } })

  async function send(
    method: string,
    url: URL,
    site: Site,
    sent: { headers?: RequestOptions['headers']; form?: Form; origin?: string },
  ): Promise<Page> {
    const safeMethod = method === 'GET' || method === 'HEAD'
    const { body, contentType } = encode(sent.form)
    const cookies = store.matching(url, { crossSite: site === 'cross-site', safeMethod })
    const headers = withOverrides(
      {
        accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
        'accept-language': language,
        'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) test browser',
        'upgrade-insecure-requests': '1',
        'sec-fetch-site': site,
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
        'sec-fetch-user': '?1',
        ...(contentType ? { 'content-type': contentType } : {}),
        ...(safeMethod ? {} : { origin: sent.origin ?? url.origin }),
        ...(cookies.length > 0
          ? { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') }
          : {}),
      },
      sent.headers,
    )
    const answer = await request(url, {
      method: method as 'GET',
      headers,
      body: body ?? null,
      dispatcher: agent,
    })
    const received = toHeaders(answer.headers)
    for (const header of received.getSetCookie()) if (!store.set(url, header)) refused.push(header)
    const bytes = Buffer.from(await answer.body.arrayBuffer())
    const asked = { method, site, ...(sent.form === undefined ? {} : { form: sent.form }) }
    return toPage(url, answer.statusCode, received, bytes, asked)
  }

  const client: Client = {
    get: (url, options) => client.request('GET', url, options),
    post: (url, form, options) => client.request('POST', url, { ...options, form }),
    request(method, address, { form, headers, from } = {}) {
      const url = new URL(address)
      const typed = method === 'GET' && from === undefined
      const origin = new URL(from ?? url).origin
      const site = typed ? 'none' : siteOf(origin, url)
      return send(method, url, site, {
        origin,
        ...(headers ? { headers } : {}),
        ...(form === undefined ? {} : { form }),
      })
    },
    follow(page) {
      const { location, request: before, status } = page
      if (!location) throw new Error(`${page.url} answered ${status}, which is no redirect`)
      const site = worse(before.site, siteOf(page.url.origin, location))
      const again = (status === 307 || status === 308) && before.form !== undefined
      if (!again) return send('GET', location, site, {})
      return send(before.method, location, site, { form: before.form, origin: page.url.origin })
    },
    async followAll(page, until = () => false) {
      let current = page
      for (let count = 0; current.location && !until(current.location); count += 1) {
        if (count === MAX_REDIRECTS) throw new Error(`Too many redirects, now ${current.url}`)
        current = await client.follow(current)
      }
      return current
    },
    cookies: (url) =>
      Object.fromEntries(client.cookieList(url).map(({ name, value }) => [name, value])),
    cookieList: (url) => store.matching(new URL(url)),
    setCookie: (url, header) => store.set(new URL(url), header),
    refusedCookies: () => [...refused],
    clearCookies: () => store.clear(),
    copy: () => createClient({ ...options, cookies: store.all() }),
    close: () => agent.close(),
  }
  return client
}

function toPage(
  url: URL,
  status: number,
  headers: Headers,
  body: Buffer,
  request: Page['request'],
): Page {
  const target = status >= 300 && status < 400 ? headers.get('location') : null
  return {
    url,
    status,
    headers,
    body,
    ...(target === null ? {} : { location: new URL(target, url) }),
    request,
    text: () => body.toString('utf8'),
    json: () => JSON.parse(body.toString('utf8')),
  }
}

function siteOf(from: string, to: URL): Site {
  if (from === to.origin) return 'same-origin'
  const { protocol, hostname } = new URL(from)
  return protocol === to.protocol && registrable(hostname) === registrable(to.hostname)
    ? 'same-site'
    : 'cross-site'
}

// Stands in for the public suffix list: names of tests have two labels above the host's own.
function registrable(host: string): string {
  return /^[\d.]+$/.test(host) ? host : host.split('.').slice(-2).join('.')
}

function worse(before: Site, step: Site): Site {
  if (before === 'none') return 'none'
  const order: readonly Site[] = ['same-origin', 'same-site', 'cross-site']
  return order[Math.max(order.indexOf(before), order.indexOf(step))] ?? 'cross-site'
}

function encode(form: Form | undefined): { body?: string | Uint8Array; contentType?: string } {
  if (form === undefined) return {}
  if (typeof form === 'string' || form instanceof Uint8Array) return { body: form }
  const fields = form instanceof URLSearchParams ? form : new URLSearchParams({ ...form })
  return { body: fields.toString(), contentType: 'application/x-www-form-urlencoded' }
}

function withOverrides(
  headers: Record<string, string>,
  overrides: RequestOptions['headers'] = {},
): Record<string, string | string[]> {
  const result: Record<string, string | string[]> = { ...headers }
  for (const [name, value] of Object.entries(overrides)) {
    delete result[name.toLowerCase()]
    if (value !== undefined) result[name] = typeof value === 'string' ? value : [...value]
  }
  return result
}

function toHeaders(headers: Record<string, string | string[] | undefined>): Headers {
  const result = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    for (const one of [value ?? []].flat()) result.append(name, one)
  }
  return result
}

const lookUpHere: LookupFunction = (host, options, callback) => {
  if (/(^|\.)(localhost|test)$/.test(host)) return lookup('127.0.0.1', options, callback)
  callback(new Error(`${host} is not on this machine`), '')
}
