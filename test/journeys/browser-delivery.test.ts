import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { axeFindings } from '../support/axe.ts'
import { launchBrowser } from '../support/browser.ts'
import { DAY } from '../support/code-page.ts'
import { heading, newVisitor, signIn, typeCode, type Visitor } from '../support/visitor.ts'
import { ALICE, startWorld, type World } from '../support/world.ts'

const DELIVERED = 'Your code was delivered and should be on your phone now.'

describe('the way of a message on the code page', () => {
  let browser: Browser
  let world: World
  const visitors: Visitor[] = []

  before(async () => {
    world = await startWorld()
    browser = await launchBrowser()
  })
  beforeEach(() => world.turnClock(DAY + 1))
  afterEach(async () => {
    for (const visitor of visitors.splice(0)) await visitor.leave()
  })
  after(async () => {
    await browser?.close()
    await world?.close()
  })

  const arrive = async (
    options?: BrowserContextOptions,
    prepare?: (page: Page) => Promise<unknown>,
  ) => {
    const visitor = await newVisitor(browser, options)
    visitors.push(visitor)
    await prepare?.(visitor.page)
    await visitor.page.goto(new URL('/payroll', world.url).href)
    await signIn(visitor.page, 'alice')
    await heading(visitor.page, 'Enter your code')
    return visitor.page
  }
  const says = (page: Page, text: string) => page.getByRole('status').getByText(text).waitFor()
  const again = (page: Page) => page.locator('form[action$="/resend"] button')
  const typedAhead = async (page: Page) => {
    await page.locator('#code').pressSequentially('12')
    return () => page.locator('#code').inputValue()
  }

  test('appears while somebody types, and disturbs nothing', async () => {
    const page = await arrive()
    await says(page, 'Your code is on its way.')
    const typed = await typedAhead(page)
    await world.twilio.report({ status: 'sent' })
    await says(page, 'Your mobile network has the message')
    await world.twilio.report({ status: 'delivered' })
    await says(page, DELIVERED)
    assert.equal(await page.locator('.notice').count(), 1)
    assert.equal(await typed(), '12')
    assert.equal(await page.locator('#code').evaluate((field) => field.matches(':focus')), true)
    assert.equal(await again(page).isDisabled(), true)
    assert.deepEqual(await axeFindings(page), [])
    await page.locator('#code').fill('')
    await typeCode(page, world.codeFor(ALICE))
    await page.waitForURL(new URL('/payroll', world.url).href)
  })

  test('a failed delivery says why, and the code can be sent again at once', async () => {
    const page = await arrive()
    assert.equal(await again(page).isDisabled(), true)
    await world.twilio.report({ status: 'undelivered', errorCode: 30003 })
    await says(page, 'Your phone could not be reached.')
    await says(page, 'You can send the code again right away, or have us call you.')
    assert.deepEqual(await axeFindings(page), [])
    await page.getByRole('button', { name: 'Send the code again', disabled: false }).click()
    await says(page, 'We sent the same code again.')
    await world.twilio.report({ status: 'delivered' })
    await says(page, DELIVERED)
  })

  for (const [name, status] of [
    ['there are too many streams', 429],
    ['a proxy lets none through', 502],
  ] as const) {
    test(`is asked for when ${name}`, async () => {
      const page = await arrive(undefined, (tab) =>
        tab.route('**/_stepgate/otp/events*', (route) => route.fulfill({ status })),
      )
      await world.twilio.report({ status: 'delivered' })
      await says(page, DELIVERED)
    })
  }

  test('is asked for when something on the way keeps events back', async () => {
    const page = await arrive(undefined, (tab) =>
      // Never answered.
      tab.route('**/_stepgate/otp/events*', () => {}),
    )
    await world.twilio.report({ status: 'delivered' })
    await says(page, DELIVERED)
  })

  test('without JavaScript is there when the page is loaded again', async () => {
    const page = await arrive({ javaScriptEnabled: false })
    const messages = world.messages().length
    await world.twilio.report({ status: 'delivered' })
    await page.reload()
    await says(page, DELIVERED)
    assert.equal(world.messages().length, messages)
  })
})
