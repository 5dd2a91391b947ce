import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type Client, createClient, type Page } from '../support/cookie-jar.ts'
import { submitForm } from '../support/form.ts'
import { callbackFromProvider, signInAtProvider } from '../support/sign-in.ts'
import { ALICE, startWorld, type World } from '../support/world.ts'
import { acrOf, at, BROWSER, followRefresh, SESSION } from './steps.ts'

const PATHS = Array.from({ length: 10 }, (_, index) => `/whoami?tab=${index}`)
const DAY = 24 * 60 * 60_000

describe('ten tabs', () => {
  let world: World
  let browser: Client
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())
  beforeEach(() => {
    browser = createClient()
    // What earlier tests have sent counts no more.
    world.turnClock(DAY)
  })

  /** The person signs in once at the provider, in the first tab that she looks at. */
  async function knownAtProvider(): Promise<void> {
    const { location } = await browser.get(at(world, '/basic'))
    await callbackFromProvider(browser, location ?? assert.fail(), 'alice')
  }

  function forgetStepgate(): void {
    const names = Object.keys(browser.cookies(world.url)).filter((name) => name.startsWith(SESSION))
    for (const name of names) browser.setCookie(world.url, `${name}=; Path=/; Max-Age=0`)
  }

  async function assertEachAtItsPage(pages: readonly Page[], sent: number): Promise<void> {
    for (const [index, page] of pages.entries()) {
      assert.equal(page.status, 200, page.text())
      assert.equal(page.url.pathname, '/_stepgate/otp')
      assert.equal(page.url.searchParams.get('return_to'), PATHS[index])
    }
    assert.equal(world.messages(ALICE).length - sent, 1)
    const [first = assert.fail(), ...others] = pages
    const code = world.codeFor(ALICE)
    const done = await browser.followAll(await submitForm(browser, first, { code }))
    assert.equal(done.json().url, PATHS[0])
    for (const [index, page] of others.entries()) {
      const seen = await browser.followAll(await browser.get(page.url))
      assert.equal(seen.status, 200)
      assert.equal(seen.json().url, PATHS[index + 1])
    }
    assert.equal(world.messages(ALICE).length - sent, 1)
  }

  it('opened one after another share one secret, and one message serves them all', async () => {
    const sent = world.messages(ALICE).length
    const starts: Page[] = []
    for (const path of PATHS) starts.push(await browser.get(at(world, path)))
    const own = Object.entries(browser.cookies(world.url)).filter(([name]) =>
      name.startsWith(SESSION),
    )
    assert.equal(own.length, 2)
    assert.ok(own.every(([name]) => name === BROWSER || /^stepgate-browser\.\d{8}$/.test(name)))
    assert.equal(new Set(own.map(([, value]) => value)).size, 1)
    const pages: Page[] = []
    for (const start of starts) {
      pages.push(await followRefresh(browser, await signInAtProvider(browser, start, 'alice')))
    }
    await assertEachAtItsPage(pages, sent)
  })

  it('that come back from the provider all at once do so too', async () => {
    const sent = world.messages(ALICE).length
    const callbacks: URL[] = []
    for (const path of PATHS) {
      callbacks.push(
        await callbackFromProvider(browser, await browser.get(at(world, path)), 'alice'),
      )
    }
    const back = await Promise.all(callbacks.map((callback) => browser.get(callback)))
    const pages = await Promise.all(back.map((page) => followRefresh(browser, page)))
    await assertEachAtItsPage(pages, sent)
  })

  it('opened at the same moment without any cookie end each at its page', async () => {
    const sent = world.messages(ALICE).length
    await knownAtProvider()
    forgetStepgate()
    const starts = await Promise.all(PATHS.map((path) => browser.get(at(world, path))))
    const cookies = starts.map(({ headers }) => headers.getSetCookie()[0]?.split(';', 1)[0])
    assert.equal(new Set(cookies).size, PATHS.length)

    const back = await Promise.all(starts.map((start) => signInAtProvider(browser, start, 'alice')))
    assert.deepEqual(new Set(back.map(({ status }) => status)), new Set([303]))
    const pages = await Promise.all(back.map((page) => browser.followAll(page)))
    await assertEachAtItsPage(pages, sent)
    const left = Object.keys(browser.cookies(world.url)).filter((name) => name.startsWith(BROWSER))
    assert.deepEqual(left, [])
  })

  it('of which two come back before either has a session, and one knew only its own cookie, share a message', async () => {
    const sent = world.messages(ALICE).length
    await knownAtProvider()
    forgetStepgate()
    const first = await callbackFromProvider(
      browser,
      await browser.get(at(world, '/whoami?first')),
      'alice',
    )
    const early = browser.copy()
    // The answer to a request that had no cookie either comes after the first tab has gone back.
    const other = createClient()
    const start = await other.get(at(world, '/whoami?second'))
    const second = await callbackFromProvider(other, start, 'alice')
    for (const cookie of start.headers.getSetCookie()) browser.setCookie(world.url, cookie)
    const pages = [await early.get(first), await browser.get(second)]
    assert.deepEqual(
      pages.map(({ status }) => status),
      [303, 303],
    )
    await early.followAll(pages[0] ?? assert.fail())
    const page = await browser.followAll(pages[1] ?? assert.fail())
    assert.equal(page.url.pathname, '/_stepgate/otp')
    assert.equal(world.messages(ALICE).length - sent, 1)
    const done = await browser.followAll(
      await submitForm(browser, page, { code: world.codeFor(ALICE) }),
    )
    assert.equal(done.json().url, '/whoami?second')
    assert.equal(world.messages(ALICE).length - sent, 1)
  })

  it('of which one began just before it got the session of another go on with that', async () => {
    await knownAtProvider()
    const first = await browser.get(at(world, '/basic?first'))
    const slow = createClient()
    slow.setCookie(world.url, `${BROWSER}=${browser.cookies(world.url)[BROWSER]}; Path=/`)
    await followRefresh(browser, await signInAtProvider(browser, first, 'alice'))
    world.turnClock(1000)
    // Its request was on the way when the answer with the session, and without the cookie, came.
    const start = await slow.get(at(world, '/basic?second'))
    const session = browser.cookies(world.url)[SESSION]
    const back = await browser.get(await callbackFromProvider(slow, start, 'alice'))
    assert.equal(back.status, 303)
    assert.equal(back.location?.href, at(world, '/basic?second').href)
    assert.equal(browser.cookies(world.url)[SESSION], session)
  })

  it('of which one began with a cookie of its own, and found another signed in, share a message', async () => {
    const sent = world.messages(ALICE).length
    await knownAtProvider()
    const first = await browser.get(at(world, '/whoami?first'))
    await followRefresh(browser, await signInAtProvider(browser, first, 'alice'))
    const before = browser.cookies(world.url)[SESSION]
    world.turnClock(1000)
    const slow = createClient()
    const callback = await callbackFromProvider(slow, await slow.get(at(world, '/whoami')), 'alice')
    browser.setCookie(world.url, `${BROWSER}=${slow.cookies(world.url)[BROWSER]}; Path=/`)
    const page = await followRefresh(browser, await browser.get(callback))
    assert.equal(page.url.pathname, '/_stepgate/otp')
    assert.notEqual(browser.cookies(world.url)[SESSION], before)
    assert.equal(world.messages(ALICE).length - sent, 1)
  })

  it('of which one signs out while the others wait go on to a new sign-in', async () => {
    const [first = assert.fail(), second = assert.fail()] = await Promise.all([
      browser.get(at(world, '/basic?first')),
      browser.get(at(world, '/basic?second')),
    ])
    await followRefresh(browser, await signInAtProvider(browser, first, 'alice'))
    assert.equal(await acrOf(world, browser), 'basic')
    await browser.get(at(world, '/_stepgate/sign-out'))
    assert.equal(await acrOf(world, browser), undefined)
    const page = await followRefresh(browser, await signInAtProvider(browser, second, 'alice'))
    assert.equal(page.url.href, at(world, '/basic?second').href)
    assert.equal(await acrOf(world, browser), 'basic')
  })
})
