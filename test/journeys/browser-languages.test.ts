import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { launchBrowser } from '../support/browser.ts'
import {
  heading,
  newVisitor,
  notice,
  signIn,
  typeCode,
  type Visitor,
  wrongCode,
} from '../support/visitor.ts'
import { ALICE, BOB, startWorld, type World } from '../support/world.ts'

const SECOND = 1000

describe('browsers that are set up otherwise', () => {
  let browser: Browser
  let world: World
  let visitor: Visitor | undefined

  before(async () => {
    world = await startWorld({ env: { STEPGATE_BRAND_NAME: 'Acme' } })
    browser = await launchBrowser()
  })
  beforeEach(() => world.turnClock(25 * 60 * 60 * SECOND))
  afterEach(async () => {
    await visitor?.leave()
    visitor = undefined
  })
  after(async () => {
    await browser?.close()
    await world?.close()
  })

  const arrive = async (options: BrowserContextOptions) => {
    visitor = await newVisitor(browser, options)
    return visitor.page
  }
  const open = (page: Page, path: string) => page.goto(new URL(path, world.url).href)
  const at = (page: Page, path: string) => page.waitForURL(new URL(path, world.url).href)
  const press = (page: Page, name: string) =>
    page.getByRole('button', { name, exact: true }).click()

  test('without JavaScript the whole way works: wrong code, waiting, sending again', async () => {
    const page = await arrive({ javaScriptEnabled: false })
    await open(page, '/payroll')
    await signIn(page, 'alice')
    await heading(page, 'Enter your code')
    const before = world.messages(ALICE).length
    const code = world.codeFor(ALICE)

    await page.locator('#code').fill(wrongCode(code))
    await press(page, 'Confirm')
    await notice(page, 'You have 4 attempts left.')
    await press(page, 'Send the code again')
    await notice(page, 'You can send another one in')
    assert.equal(world.messages(ALICE).length, before)
    world.turnClock(30 * SECOND)
    await press(page, 'Send the code again')
    await notice(page, 'We sent the same code again.')
    assert.equal(world.messages(ALICE).length, before + 1)

    await page.locator('#code').fill(code.replace(/^(...)/, '$1 '))
    await press(page, 'Confirm')
    await at(page, '/payroll')
    await heading(page, 'Payslip of alice')
  })

  test('without JavaScript a number is chosen, and another one', async () => {
    const page = await arrive({ javaScriptEnabled: false })
    await open(page, '/payroll')
    await signIn(page, 'bob')
    await page.getByText(`Number ending in ${BOB[0].slice(-2)}`).click()
    await press(page, 'Send code')
    await page.getByText(`phone number ending in ${BOB[0].slice(-2)}`).waitFor()
    await page.getByRole('link', { name: 'Use another phone number' }).click()
    await page.getByText(`Number ending in ${BOB[1].slice(-2)}`).click()
    await press(page, 'Send code')
    await page.getByText(`phone number ending in ${BOB[1].slice(-2)}`).waitFor()
    await typeCode(page, world.codeFor(BOB[1]))
    await at(page, '/payroll')
  })

  test('a German browser gets German pages and a German message', async () => {
    const page = await arrive({ locale: 'de-AT' })
    await open(page, '/payroll')
    await signIn(page, 'alice')
    await heading(page, 'Code eingeben')
    assert.equal(await page.locator('html').getAttribute('lang'), 'de')
    assert.match(world.messages(ALICE)[0]?.body ?? '', /^Acme-Code \d{6}\. 5 Minuten gültig\./)
    await typeCode(page, wrongCode(world.codeFor(ALICE)))
    await notice(page, 'Sie haben noch 4 Versuche.')
    await typeCode(page, world.codeFor(ALICE))
    await at(page, '/payroll')
  })

  for (const signedIn of [false, true]) {
    const who = signedIn ? 'signed in already' : 'not signed in'
    test(`an application's link chooses the language for somebody who is ${who}, up to the end`, async () => {
      const page = await arrive({ locale: 'en-GB' })
      if (signedIn) {
        await open(page, '/basic')
        await signIn(page, 'alice')
        await heading(page, 'Telephone list')
      }
      await open(page, '/_stepgate/step-up?acr=twilio_sms&return_to=/basic&ui_locales=de')
      if (!signedIn) {
        await heading(page, 'Anmelden')
        await signIn(page, 'alice')
      }
      await heading(page, 'Code eingeben')
      assert.match(world.messages(ALICE)[0]?.body ?? '', /^Acme-Code \d{6}\./)
      await typeCode(page, wrongCode(world.codeFor(ALICE)))
      await notice(page, 'Sie haben noch 4 Versuche.')
      world.turnClock(30 * SECOND)
      await page.reload()
      await press(page, 'Code noch einmal senden')
      await notice(page, 'denselben Code noch einmal gesendet')
      assert.match(world.messages(ALICE)[0]?.body ?? '', /^Acme-Code \d{6}\./)
      await typeCode(page, world.codeFor(ALICE))
      await at(page, '/basic')
    })
  }
})
