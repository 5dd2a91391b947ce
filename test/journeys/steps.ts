import assert from 'node:assert/strict'
import type { Client, Page } from '../support/cookie-jar.ts'
import { submitForm } from '../support/form.ts'
import { signInAtProvider } from '../support/sign-in.ts'
import { ALICE, type World } from '../support/world.ts'

/** stepgate's session cookie at a loopback http URL. */
export const SESSION = 'stepgate'
/** The cookie that binds a sign-in to its browser. */
export const BROWSER = 'stepgate-browser'

/** An address at stepgate. */
export function at(world: World, path: string): URL {
  return new URL(path, world.url)
}

/** Opens `path`, signs in at the provider if asked to, and answers the page at which that ends. */
export async function signIn(
  world: World,
  browser: Client,
  { username = 'alice', path = '/basic' }: { username?: string; path?: string } = {},
): Promise<Page> {
  const start = await browser.get(at(world, path))
  const asked = start.location?.origin === world.provider.issuer.origin
  return browser.followAll(asked ? await signInAtProvider(browser, start, username) : start)
}

/** Signs alice in and types her code; answers the page that was asked for. */
export async function signInWithCode(
  world: World,
  browser: Client,
  path = '/whoami',
): Promise<Page> {
  const otp = await signIn(world, browser, { path })
  assert.match(otp.text(), /name="code"/)
  return browser.followAll(await submitForm(browser, otp, { code: world.codeFor(ALICE) }))
}

/** What `/_stepgate/session` says to this browser: the acr, or undefined to somebody signed out. */
export async function acrOf(world: World, browser: Client): Promise<string | undefined> {
  const page = await browser.get(at(world, '/_stepgate/session'))
  if (page.status === 401) return undefined
  assert.equal(page.status, 200)
  return page.json().acr
}

/** The address that a page goes to by itself. */
export function refreshOf(page: Page): URL | undefined {
  const content = /<meta http-equiv="refresh" content="0;url=([^"]*)">/.exec(page.text())?.[1]
  return content === undefined ? undefined : new URL(content.replaceAll('&amp;', '&'), page.url)
}

/** The link of a page that is drawn as a button: its way on. */
export function wayOn(page: Page): URL {
  const href = /<a class="button" href="([^"]*)">/.exec(page.text())?.[1]
  assert.ok(href, `no way on: ${page.text()}`)
  return new URL(href.replaceAll('&amp;', '&'), page.url)
}

/** Follows redirects, and once the refresh of a page, as a browser does. */
export async function followRefresh(browser: Client, page: Page): Promise<Page> {
  const shown = await browser.followAll(page)
  const target = refreshOf(shown)
  return target === undefined
    ? shown
    : browser.followAll(await browser.get(target, { from: shown.url }))
}

/** How many requests the application has had. */
export function reached(world: World): number {
  return world.application.requests().length
}
