import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser } from '../support/browser.ts'
import { pressBack } from '../support/press-back.ts'
import { heading, newVisitor, signIn, typeCode, type Visitor } from '../support/visitor.ts'
import { ALICE, startWorld, type World } from '../support/world.ts'

const PATHS = Array.from({ length: 10 }, (_, index) => `/payroll?tab=${index}`)

describe('many tabs and ways back, in one browser', () => {
  let browser: Browser
  let world: World
  let visitor: Visitor
  let sentBefore: number

  before(async () => {
    world = await startWorld({ backChannel: 'sid' })
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

  test('after the provider’s word, the back button shows nothing to who has come to the sign-in', async () => {
    const { page } = visitor
    await open(page, '/basic')
    await signIn(page, 'alice')
    await heading(page, 'Telephone list')
    const tab = await visitor.openTab()
    await tab.goto(new URL('/sign-out', world.provider.issuer).href)
    await tab.locator('button[name=logout]').click()
    await heading(tab, 'You are signed out')
    await page.getByRole('link', { name: 'My payslip' }).click()
    await page.locator('#password').waitFor()
    const here = page.url()
    const texts = await pressBack(
      page,
      (text) => text.includes('Password') && !text.startsWith(here),
    )
    for (const text of texts) assert.doesNotMatch(text, /Telephone list/)
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
