import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser } from '../support/browser.ts'
import { until } from '../support/until.ts'
import { heading, newVisitor, signIn, typeCode, type Visitor } from '../support/visitor.ts'
import { ALICE, startWorld, type World } from '../support/world.ts'

const PATHS = Array.from({ length: 10 }, (_, index) => `/payroll?tab=${index}`)

/**
 * Presses the back button and answers all that is to be seen until it is what was waited for. Not
 * by Playwright, which loses sight of a page that the browser takes from what it has kept.
 */
async function pressBack(page: Page, isThere: (text: string) => boolean): Promise<string[]> {
  const browser = await page.context().newCDPSession(page)
  const { currentIndex, entries } = await browser.send('Page.getNavigationHistory')
  const entryId = entries[currentIndex - 1]?.id ?? assert.fail('nothing to go back to')
  const left = entries[currentIndex]?.url
  const texts: string[] = []
  let looks = 0
  await until(async () => {
    // Chromium forgets a press now and then, when it has just thrown away the page to go back to.
    if (texts.length === 0 && looks++ % 250 === 0) {
      await browser.send('Page.navigateToHistoryEntry', { entryId })
    }
    const expression = `[location.href, document.body?.innerText ?? ''].join('\\n')`
    const { result } = await browser.send('Runtime.evaluate', { expression })
    if (!String(result.value).startsWith(`${left}\n`)) texts.push(String(result.value))
    return isThere(texts.at(-1) ?? '')
  }).catch(() => assert.fail(`seen after going back: ${texts.at(-1)}`))
  return texts
}

describe('many tabs and ways back, in one browser', () => {
  let browser: Browser
  let world: World
  let visitor: Visitor
  let sentBefore: number

  before(async () => {
    world = await startWorld()
    browser = await launchBrowser({ keepsPages: true })
  })
  beforeEach(async () => {
    visitor = await newVisitor(browser)
    sentBefore = world.messages().length
  })
  afterEach(() => visitor.leave())
  after(async () => {
    await browser?.close()
    await world?.close()
  })

  const open = (page: Page, path: string) => page.goto(new URL(path, world.url).href)
  const at = (page: Page, path: string) => page.waitForURL(new URL(path, world.url).href)
  const sent = () => world.messages().length - sentBefore
  const openTabs = () => Promise.all(PATHS.map(() => visitor.openTab()))
  /** Each tab's own path, where the tab has come to it. */
  const arrived = (tabs: readonly Page[]) =>
    Promise.all(tabs.map((tab, index) => at(tab, PATHS[index] ?? '')))

  test('ten tabs are opened at once, one signs in, and each ends at its own address after one code', async () => {
    const tabs = await openTabs()
    await Promise.all(tabs.map((tab, index) => open(tab, PATHS[index] ?? '')))
    const [first, ...others] = tabs
    assert.ok(first)
    await signIn(first, 'alice')
    await heading(first, 'Enter your code')
    await typeCode(first, world.codeFor(ALICE))
    await at(first, PATHS[0] ?? '')
    // The others still stand at the provider's form.
    await Promise.all(others.map((tab) => tab.reload()))
    await Promise.all(others.map((tab) => signIn(tab, 'alice')))
    await arrived(tabs)
    assert.equal(sent(), 1)
  })

  test('ten tabs come back at once while the provider still knows the person: one code for all', async () => {
    await open(visitor.page, '/basic')
    await signIn(visitor.page, 'alice')
    await heading(visitor.page, 'Telephone list')
    const { hostname } = world.url
    await visitor.page.context().clearCookies({ name: /^stepgate/, domain: hostname })

    const tabs = await openTabs()
    await Promise.all(tabs.map((tab, index) => open(tab, PATHS[index] ?? '')))
    await Promise.all(tabs.map((tab) => heading(tab, 'Enter your code')))
    assert.equal(sent(), 1)
    const [first] = tabs
    assert.ok(first)
    await typeCode(first, world.codeFor(ALICE))
    await at(first, PATHS[0] ?? '')
    await Promise.all(tabs.map((tab) => tab.reload()))
    await arrived(tabs)
    assert.equal(sent(), 1)
  })

  test('after signing out, the back button shows nothing of what was there', async () => {
    const { page } = visitor
    await open(page, '/payroll')
    await signIn(page, 'alice')
    await heading(page, 'Enter your code')
    await typeCode(page, world.codeFor(ALICE))
    await heading(page, 'Payslip of alice')
    const otherTab = await visitor.openTab()
    await open(otherTab, '/payroll')
    await heading(otherTab, 'Payslip of alice')

    const answered = page.waitForResponse((answer) => answer.url().endsWith('/_stepgate/sign-out'))
    await page.getByRole('link', { name: 'Sign out' }).click()
    await heading(page, 'You are signed out')
    // For a provider that does not send people back.
    const headers = await (await answered).allHeaders()
    assert.equal(headers['clear-site-data'], '"cache"')
    const texts = await pressBack(page, (text) => text.includes('Password'))
    for (const text of texts) assert.doesNotMatch(text, /Payslip/)
    await otherTab.reload()
    await otherTab.locator('#username').waitFor()
    assert.equal(sent(), 1)
  })

  test('signing out ends the provider’s session too: the next visit asks for the password', async () => {
    const { page } = visitor
    await open(page, '/basic')
    await signIn(page, 'alice')
    await page.getByRole('link', { name: 'Sign out' }).click()
    await heading(page, 'You are signed out')
    await page.getByText('You can close this window now.').waitFor()
    await page.getByRole('link', { name: 'Sign in again' }).click()
    await page.locator('#password').waitFor()
    assert.equal(new URL(page.url()).origin, world.provider.issuer.origin)
  })
})
