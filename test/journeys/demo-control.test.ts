import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { FATES } from '../../demo/fates.ts'
import { assertSays, DAY, OTP, openCodePage, reload, startStill } from '../support/code-page.ts'
import type { Client, Page } from '../support/cookie-jar.ts'
import { until } from '../support/until.ts'
import { ALICE, type World } from '../support/world.ts'

/** What the code page says after each choice on the phone's page, and how many messages arrive. */
const PAGES: Readonly<Record<string, readonly [sentence: string, arrive: number]>> = {
  deliver: ['sent', 1],
  slow: ['sent', 1],
  21211: ['refused.not_a_number', 0],
  21614: ['refused.not_mobile', 0],
  21408: ['refused.country_not_enabled', 0],
  21610: ['refused.opted_out', 0],
  21612: ['refused.not_routable', 0],
  30003: ['undelivered.unreachable', 0],
  30004: ['undelivered.blocked', 0],
  30005: ['undelivered.not_in_service', 0],
  30006: ['undelivered.landline', 0],
  30007: ['undelivered.filtered', 0],
  30008: ['undelivered.lost', 0],
  30032: ['undelivered.filtered', 0],
  30034: ['undelivered.filtered', 0],
  30450: ['undelivered.blocked', 0],
  20003: ['failed.credentials', 0],
  21608: ['failed.trial_account', 0],
  21606: ['failed.sender_not_registered', 0],
  21617: ['failed.rejected', 0],
  full: ['failed.rate_limited', 0],
  20500: ['failed.unavailable', 0],
  nonsense: ['failed.unavailable', 0],
  reset: ['failed.unavailable', 0],
  'reset-taken': ['failed.unavailable', 1],
}
// Each takes as long as stepgate waits for Twilio (code-twilio-down.test.ts has them).
const LONG = ['hang', 'hang-taken']
const CALLS: Readonly<Record<string, string>> = {
  busy: 'undelivered.not_answered',
  'no-answer': 'undelivered.not_answered',
}

describe('the stand-in for Twilio, told by the form on the phone’s page or by one call', () => {
  let world: World
  before(async () => {
    world = await startStill()
  })
  after(() => world.close())

  const tell = (body: string) =>
    fetch(new URL('/control', world.phoneUrl), { method: 'POST', body, redirect: 'manual' })
  const choose = async (fate: string) => {
    world.turnClock(DAY + 1)
    assert.equal((await tell(`fate=${fate}&for=next`)).status, 303)
    return world.messages(ALICE).length
  }
  /** Reports come behind Twilio's answer: the page is loaded again until it speaks of them. */
  const says = async (browser: Client, opened: Page, sentence: string) => {
    let page = opened
    const isSaid = async () => {
      try {
        assertSays(page, `otp.notice.${sentence}`)
        return true
      } catch {
        page = await reload(world, browser)
        return false
      }
    }
    await (sentence.startsWith('undelivered') ? until(isSaid) : assert.ok(await isSaid(), sentence))
  }

  test('has a page for each choice', () => {
    const choices = Object.values(FATES).flatMap((fates) => fates.map(({ key }) => key))
    const known = [...Object.keys(PAGES), ...Object.keys(CALLS), ...LONG]
    assert.deepEqual(choices.toSorted(), known.toSorted())
  })

  for (const [fate, [sentence, arrive]] of Object.entries(PAGES)) {
    test(`${fate}: ${sentence}`, async () => {
      const messages = await choose(fate)
      const { browser, page } = await openCodePage(world, 'alice')
      await says(browser, page, sentence)
      assert.equal(world.messages(ALICE).length - messages, arrive)
    })
  }

  for (const [fate, sentence] of Object.entries(CALLS)) {
    test(`${fate}, of a call: ${sentence}`, async () => {
      world.turnClock(DAY + 1)
      const { browser } = await openCodePage(world, 'alice')
      world.turnClock(30_000)
      const messages = world.messages(ALICE).length
      assert.equal((await tell(JSON.stringify({ next: [{ kind: fate }] }))).status, 200)
      const call = new URL(`${OTP}/call`, world.url)
      const called = await browser.post(call, { return_to: '/whoami' })
      await says(browser, await browser.followAll(called), sentence)
      assert.equal(world.messages(ALICE).length, messages)
    })
  }
})
