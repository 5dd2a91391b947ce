import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import {
  assertSays,
  DAY,
  hasField,
  MINUTE,
  OTP,
  openCodePage,
  SECOND,
  startStill,
  typeCode,
} from '../support/code-page.ts'
import type { Client, Page } from '../support/cookie-jar.ts'
import { readForms } from '../support/form.ts'
import { BOB, type World } from '../support/world.ts'

/** Only the digits that the page's own sentences name, whatever the notice says. */
function leadOf(page: Page): string {
  return page.text().match(/class="lead">([^<]*)</)?.[1] ?? ''
}

describe('the page names the number that its buttons send to', () => {
  let world: World
  let one: string
  let two: string

  before(async () => {
    world = await startStill({ env: { STEPGATE_SMS_LIMIT_NUMBER: '2/1d' } })
  })
  after(() => world.close())
  beforeEach(() => world.turnClock(2 * DAY))

  const choose = (browser: Client, number: string) =>
    browser.post(new URL(`${OTP}/number`, world.url), { number, return_to: '/whoami' })
  const sentTo = () => BOB.map((number) => world.messages(number).length)

  async function open(): Promise<Client> {
    const { browser, page } = await openCodePage(world, 'bob')
    const ids = [...page.text().matchAll(/name="number" value="([^"]+)"/g)].map(([, id]) => id)
    one = ids[0] ?? ''
    two = ids[1] ?? ''
    return browser
  }

  /** Presses "send" on the page as it stands; to whom something went by that. */
  async function pressOn(page: Page, browser: Client): Promise<number[]> {
    const form = readForms(page).find(({ action }) => String(action).includes('/resend'))
    assert.ok(form)
    const before = sentTo()
    await browser.post(form.action, form.fields)
    return sentTo().map((count, index) => count - (before[index] ?? 0))
  }

  function assertOfSecond(page: Page, sentence: string): void {
    const [chosen, shown] = BOB.map((number) => number.slice(-2))
    assert.equal(page.status, 429)
    assertSays(page, `otp.notice.${sentence}`)
    assertSays(page, 'otp.notice.chosen-number')
    assert.match(page.text(), new RegExp(`ending in ${chosen}, which you have just chosen`))
    assert.match(leadOf(page), new RegExp(`ending in ${shown}`))
  }

  test('when the one that was chosen first is chosen again too soon', async () => {
    const browser = await open()
    await choose(browser, one)
    world.turnClock(5 * SECOND)
    await choose(browser, two)
    world.turnClock(5 * SECOND)
    const page = await choose(browser, one)
    assertOfSecond(page, 'wait')
    assert.ok(hasField(page))
    world.turnClock(31 * SECOND)
    assert.deepEqual(await pressOn(page, browser), [0, 1])
    assert.equal((await typeCode(world, browser, world.codeFor(BOB[1]))).status, 303)
  })

  test('when a limit refuses the one that was chosen, and the code before can be typed in', async () => {
    const browser = await open()
    for (const number of [one, two, one, two]) {
      await choose(browser, number)
      world.turnClock(MINUTE)
    }
    const page = await choose(browser, one)
    assertOfSecond(page, 'send-limited')
    assert.ok(hasField(page))
    assert.equal((await typeCode(world, browser, world.codeFor(BOB[1]))).status, 303)
  })

  test('when the code before has expired by then', async () => {
    const browser = await open()
    for (const number of [one, two, one]) {
      await choose(browser, number)
      world.turnClock(MINUTE)
    }
    world.turnClock(5 * MINUTE)
    await choose(browser, two)
    world.turnClock(5 * MINUTE)
    const page = await choose(browser, one)
    assertOfSecond(page, 'send-limited')
    assert.equal(hasField(page), false)
  })
})
