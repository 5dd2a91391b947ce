import type { Random } from '../random.ts'
import { type CookieSettings, readCookie, serializeCookie } from '../session/cookies.ts'

/** A cookie that binds sign-ins to a browser, as a request brought it. */
export type BrowserCookie = { readonly name: string; readonly value: string }

const VALUE = /^[A-Za-z0-9_-]{43}$/

/** More tabs than anybody opens in one moment; each costs a look at the whole header. */
const MOST = 20

/**
 * The browser cookies of a request, in an order that all tabs of the browser see: those of single
 * tabs (`name.123`) as the browser got them, the first twenty, then `name` itself.
 */
export function readBrowserCookies(
  header: string | undefined,
  name: string,
): readonly BrowserCookie[] {
  if (header === undefined) return []
  const ofTab = new RegExp(`(?<![^;\\s])${name}\\.[0-9]+(?==)`, 'g')
  const names = new Set<string>()
  for (const [own] of header.matchAll(ofTab)) {
    if (names.add(own).size === MOST) break
  }
  return [...names, name].flatMap((own) => {
    const value = readCookie(header, own)
    return value !== undefined && VALUE.test(value) ? [{ name: own, value }] : []
  })
}

/**
 * `Set-Cookie` values for a browser that had none. Tabs that open at the same moment overwrite each
 * other's `name`; what each is given under a name of its own as well stays.
 */
export function bindBrowser(
  name: string,
  value: string,
  random: Random,
  settings: CookieSettings,
): readonly string[] {
  return [name, `${name}.${random.digits(8)}`].map((own) => serializeCookie(own, value, settings))
}
