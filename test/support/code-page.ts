import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe } from 'node:test'
import { type Client, createClient, type Page } from './cookie-jar.ts'
import { startRedis } from './redis.ts'
import { signInAtProvider } from './sign-in.ts'
import { startWorld, type World, type WorldOptions } from './world.ts'

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const DAY = 24 * 60 * MINUTE

export const OTP = '/_stepgate/otp'

/** A world whose clock stands still unless it is turned, so that waits can be told to the second. */
export async function startStill(options: WorldOptions = {}): Promise<World> {
  let time = Date.now()
  const clock = () => time
  const world = await startWorld({ ...options, overrides: { clock, ...options.overrides } })
  return {
    ...world,
    now: clock,
    turnClock(ms) {
      time += ms
    },
  }
}

/** A store of some kind, and what ends it. */
type Backing = { readonly address: string; stop(): Promise<void> }

const BACKINGS: Readonly<Record<string, () => Promise<Backing>>> = {
  memory: async () => ({ address: 'memory:', stop: async () => {} }),
  async sqlite() {
    const folder = await mkdtemp(join(tmpdir(), 'stepgate-code-'))
    return {
      address: `sqlite:${join(folder, 'stepgate.db')}`,
      stop: () => rm(folder, { recursive: true }),
    }
  },
  async redis() {
    const redis = await startRedis({ password: true })
    return { address: redis.url, stop: redis.stop }
  },
}

/** Runs the same journeys over each kind of store. */
export function overWorlds(
  name: string,
  tests: (world: () => World) => void,
  options: WorldOptions = {},
): void {
  for (const [kind, start] of Object.entries(BACKINGS)) {
    describe(`${name}, ${kind}`, () => {
      let backing: Backing
      let world: World
      before(async () => {
        backing = await start()
        const env = { STEPGATE_STORE: backing.address, ...options.env }
        world = await startStill({ ...options, env })
      })
      after(async () => {
        await world.close()
        await backing.stop()
      })
      tests(() => world)
    })
  }
}

/** Signs in and stops where the code page is about to be opened: nothing has been sent yet. */
export async function signIn(
  world: World,
  username: string,
  browser: Client = createClient(),
): Promise<{ browser: Client; page: Page }> {
  const start = await browser.get(new URL('/whoami', world.url))
  const page = await signInAtProvider(browser, start, username)
  return { browser, page: await browser.followAll(page, ({ pathname }) => pathname === OTP) }
}

/** Signs in and opens the code page, which sends the code to somebody with one number. */
export async function openCodePage(
  world: World,
  username: string,
  browser?: Client,
): Promise<{ browser: Client; page: Page }> {
  const signedIn = await signIn(world, username, browser)
  return { browser: signedIn.browser, page: await signedIn.browser.followAll(signedIn.page) }
}

/** Loads the code page again. */
export function reload(world: World, browser: Client): Promise<Page> {
  return browser.get(new URL(`${OTP}?return_to=/whoami`, world.url))
}

/** Posts a code as the page's form does. */
export function typeCode(world: World, browser: Client, code: string): Promise<Page> {
  return browser.post(new URL(OTP, world.url), { code, return_to: '/whoami' })
}

/** Presses "send again". */
export function pressSend(world: World, browser: Client): Promise<Page> {
  return browser.post(new URL(`${OTP}/resend`, world.url), { return_to: '/whoami' })
}

/** The acr that the application is told, or the status when the request does not reach it. */
export async function acrAt(world: World, browser: Client): Promise<string | number> {
  const page = await browser.get(new URL('/whoami', world.url))
  return page.status === 200 ? page.json().headers['x-stepgate-acr'] : page.status
}

/** Another code than the right one. */
export function wrongCode(right: string): string {
  return `${right.slice(0, -1)}${(Number(right.slice(-1)) + 1) % 10}`
}

/** How many guesses were compared with a code so far. */
export function comparedIn(world: World): number {
  return world.logs('otp.wrong').length + world.logs('otp.verified').length
}

const sentences = Object.fromEntries(
  ['en', 'de'].map((language) => [
    language,
    JSON.parse(
      readFileSync(new URL(`../../pages/locales/${language}.json`, import.meta.url), 'utf8'),
    ) as Readonly<Record<string, string | Record<string, string>>>,
  ]),
)

/** The page says this sentence of the locale; `{…}` in it stands for anything. */
export function assertSays(page: Page, key: string, language = 'en'): void {
  const text = sentences[language]?.[key]
  assert.ok(text !== undefined, `no sentence ${key}`)
  const forms = typeof text === 'string' ? [text] : Object.values(text)
  const patterns = forms.map((form) =>
    form
      .split(/\{\w+\}/)
      .map(RegExp.escape)
      .join('[^<]*?'),
  )
  assert.match(page.text(), new RegExp(patterns.join('|')), key)
}

/** Whether the page has a field to type a code in. */
export function hasField(page: Page): boolean {
  return /<input[^>]*name="code"/.test(page.text())
}
