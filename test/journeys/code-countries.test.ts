import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { declareSecret } from '../support/canaries.ts'
import {
  acrAt,
  assertSays,
  DAY,
  hasField,
  OTP,
  openCodePage,
  pressSend,
  reload,
  startStill,
  typeCode,
} from '../support/code-page.ts'
import { ALICE, type World } from '../support/world.ts'

const SWISS = '+41791234567'
const AUSTRIAN = '+436641234567'
const CANADIAN = '+14165550123'
const AMERICAN = '+12125550123'
const SATELLITE = '+88213300655'
const PREMIUM = '+499001234567'
const TOLL_FREE = '+18005550123'

describe('numbers of countries that may not be texted', () => {
  let world: World
  before(async () => {
    world = await startStill({ env: { STEPGATE_SMS_COUNTRIES: 'DE,US' } })
    for (const number of [SWISS, AUSTRIAN, CANADIAN, AMERICAN, SATELLITE, PREMIUM, TOLL_FREE]) {
      declareSecret('number', number.slice(1))
    }
  })
  after(() => world.close())
  let asked = 0
  const newRequests = () => world.twilio.received().slice(asked)
  beforeEach(() => {
    world.turnClock(DAY + 1)
    asked = world.twilio.received().length
  })

  async function openWith(...numbers: string[]) {
    world.provider.setClaims('alice', { phone_number: numbers })
    return openCodePage(world, 'alice')
  }

  for (const number of [SWISS, CANADIAN, SATELLITE]) {
    test(`the only one, ${number.slice(0, 4)}…: the page says so, and Twilio is not asked`, async () => {
      const { browser, page } = await openWith(number)
      assertSays(page, 'otp.notice.refused.country_not_enabled')
      assertSays(page, 'otp.notice.refused.support')
      assert.match(page.text(), new RegExp(`ending in ${number.slice(-2)}`))
      assert.equal(hasField(page), false)
      const { event, reason, error_code } = world.logs('otp.send_failed').at(-1) ?? {}
      assert.deepEqual(
        { event, reason, error_code },
        {
          event: 'otp.send_failed',
          reason: 'country_not_enabled',
          error_code: undefined,
        },
      )
      assertSays(await reload(world, browser), 'otp.notice.refused.country_not_enabled')
      const pressed = await browser.followAll(await pressSend(world, browser))
      assertSays(pressed, 'otp.notice.refused.country_not_enabled')
      await typeCode(world, browser, '123456')
      assert.notEqual(await acrAt(world, browser), 'twilio_sms')
      assert.deepEqual(newRequests(), [])
    })
  }

  for (const number of [PREMIUM, TOLL_FREE]) {
    test(`a service number, ${number.slice(0, 6)}…, is refused before Twilio in a country that may be texted`, async () => {
      const { browser, page } = await openWith(number)
      assertSays(page, 'otp.notice.refused.number_type')
      assert.equal(hasField(page), false)
      assert.equal(world.logs('otp.send_failed').at(-1)?.reason, 'number_type')
      await browser.followAll(await pressSend(world, browser))
      const beside = await openWith(number, ALICE)
      assertSays(beside.page, 'otp.notice.sent')
      assert.doesNotMatch(beside.page.text(), /otp\/number/)
      assert.deepEqual(
        newRequests().map(({ form }) => form.To),
        [ALICE],
      )
    })
  }

  test('one beside a number that may be: it is not offered, and the other gets the code', async () => {
    const { browser, page } = await openWith(SWISS, ALICE)
    assertSays(page, 'otp.notice.sent')
    assert.match(page.text(), /ending in 86/)
    assert.doesNotMatch(page.text(), /otp\/number/)
    assert.deepEqual(
      newRequests().map(({ form }) => form.To),
      [ALICE],
    )
    assert.equal((await typeCode(world, browser, world.codeFor(ALICE))).status, 303)
  })

  test('one among several that may be: only those are a choice', async () => {
    const { page } = await openWith(AMERICAN, CANADIAN, ALICE)
    assertSays(page, 'choose.lead')
    const shown = [...page.text().matchAll(/Number ending in (\d\d)/g)].map(([, digits]) => digits)
    assert.deepEqual(shown, ['23', '86'])
    assert.doesNotMatch(page.text(), /no\. \d on record/)
  })

  test('all of several: no choice is promised', async () => {
    const { browser, page } = await openWith(SWISS, AUSTRIAN)
    assertSays(page, 'otp.notice.refused.country_not_enabled')
    assertSays(page, 'otp.notice.refused.support')
    await browser.get(new URL(`${OTP}/number`, world.url))
    assert.deepEqual(newRequests(), [])
  })

  test('one in another country of the same calling code is another country', async () => {
    await openWith(AMERICAN)
    assert.deepEqual(
      newRequests().map(({ form }) => form.To),
      [AMERICAN],
    )
  })
})
