import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { PhoneDirectory, PhoneLookup } from '../../proxy/phone/phone-directory.ts'
import {
  acrAt,
  assertSays,
  DAY,
  MINUTE,
  OTP,
  openCodePage,
  overWorlds,
  pressSend,
  reload,
  signIn,
  startStill,
  typeCode,
} from '../support/code-page.ts'
import { createClient, type Page } from '../support/cookie-jar.ts'
import { ALICE, BOB } from '../support/world.ts'

/** The ids of the numbers that a choice page offers, in its order. */
function choicesOf(page: Page): string[] {
  return [...page.text().matchAll(/name="number" value="([^"]+)"/g)].map(([, id]) => id ?? '')
}

overWorlds('several people', (world) => {
  const choose = (browser: ReturnType<typeof createClient>, fields: Record<string, string>) =>
    browser.post(new URL(`${OTP}/number`, world().url), { return_to: '/whoami', ...fields })
  const sentTo = () =>
    world()
      .messages()
      .map(({ to }) => to)
  let before = 0
  const sent = () => sentTo().slice(0, sentTo().length - before)
  beforeEach(() => {
    world().turnClock(DAY + 1)
    before = world().messages().length
  })

  test('one after another in one browser: each code goes to its own phone, and nobody’s to another', async () => {
    const browser = createClient()
    for (const username of ['alice', 'carol', 'alice']) {
      browser.clearCookies()
      const { page } = await openCodePage(world(), username, browser)
      if (username !== 'carol') continue
      assert.equal(page.status, 403)
      assertSays(page, 'no-number.lead')
      const pressed = await pressSend(world(), browser)
      assertSays(pressed, 'no-number.lead')
      assertSays(await choose(browser, { number: ALICE }), 'no-number.lead')
      assert.equal((await typeCode(world(), browser, world().codeFor(ALICE))).status, 303)
      assert.notEqual(await acrAt(world(), browser), 'twilio_sms')
    }
    assert.deepEqual(sent(), [ALICE, ALICE])
    assert.equal(world().logs('otp.send_failed').at(-1)?.reason, 'no_number')
  })

  test('all at once: each code goes to its own phone only, and opens only its own session', async () => {
    const people = await Promise.all(
      ['alice', 'bob', 'carol', 'alice', 'carol', 'bob'].map((username) =>
        signIn(world(), username),
      ),
    )
    const opened = await Promise.all(people.map(({ browser, page }) => browser.followAll(page)))
    assert.deepEqual(sent(), [ALICE, ALICE])
    const [bobs, others] = [choicesOf(opened[1] as Page), choicesOf(opened[5] as Page)]
    await Promise.all([
      choose((people[1] as (typeof people)[0]).browser, { number: bobs[0] ?? '' }),
      choose((people[5] as (typeof people)[0]).browser, { number: others[1] ?? '' }),
      ...[0, 2, 3, 4].map((n) => reload(world(), (people[n] as (typeof people)[0]).browser)),
    ])
    assert.deepEqual(sent().sort(), [ALICE, ALICE, ...BOB].sort())
    const codes = world()
      .messages()
      .slice(0, 4)
      .map(({ body }) => body.slice(-6))
    assert.equal(new Set(codes).size, 4)
    for (const carol of [people[2], people[4]]) {
      for (const code of codes) await typeCode(world(), carol?.browser ?? createClient(), code)
      assert.notEqual(await acrAt(world(), carol?.browser ?? createClient()), 'twilio_sms')
    }
  })

  test('with two numbers: nothing is sent before one is chosen, then only to that one', async () => {
    const { browser, page } = await openCodePage(world(), 'bob')
    assertSays(page, 'choose.lead')
    assert.doesNotMatch(page.text(), new RegExp(BOB.map((number) => number.slice(1, -2)).join('|')))
    await reload(world(), browser)
    await pressSend(world(), browser)
    assertSays(await choose(browser, {}), 'choose.nothing-chosen')
    assert.deepEqual(sent(), [])

    const [, second = ''] = choicesOf(page)
    const chosen = await choose(browser, { number: second })
    assert.equal(chosen.status, 303)
    const otp = await browser.followAll(chosen)
    assertSays(otp, 'otp.notice.sent')
    assert.match(otp.text(), /ending in 42/)
    assert.equal((await choose(browser, { number: second })).status, 303)
    await reload(world(), browser)
    assert.deepEqual(sent(), [BOB[1]])
    assert.equal((await typeCode(world(), browser, world().codeFor(BOB[1]))).status, 303)
  })

  test('another number can be chosen afterwards, and the code before ends', async () => {
    const { browser, page } = await openCodePage(world(), 'bob')
    const [first = '', second = ''] = choicesOf(page)
    await choose(browser, { number: first })
    await choose(browser, { number: second })
    assert.deepEqual(sent(), [BOB[1], BOB[0]])
    assert.equal((await typeCode(world(), browser, world().codeFor(BOB[0]))).status, 422)
    assert.equal((await typeCode(world(), browser, world().codeFor(BOB[1]))).status, 303)
  })

  test('only the directory names a number, and only a code writes acr', async () => {
    const alice = await openCodePage(world(), 'alice')
    const bob = await openCodePage(world(), 'bob')
    const evil = {
      phone: ALICE,
      to: ALICE,
      acr: 'twilio_sms',
      amr: 'sms',
      verified: 'true',
      subject: 'alice',
      username: 'alice',
      otpTime: '9999999999999',
    }
    for (const number of [ALICE, '+491700000000', '0', '1', '', '../alice', BOB[0]]) {
      const page = await choose(bob.browser, { ...evil, number })
      assert.equal(page.status, 422)
      assertSays(page, 'choose.nothing-chosen')
    }
    await bob.browser.post(new URL(`${OTP}/resend`, world().url), { ...evil, number: ALICE })
    await bob.browser.post(new URL(OTP, world().url), { ...evil, code: '' })
    await bob.browser.get(new URL(`${OTP}?${new URLSearchParams(evil)}`, world().url))
    assert.deepEqual(sent(), [ALICE])
    assert.notEqual(await acrAt(world(), bob.browser), 'twilio_sms')
    await alice.browser.post(new URL(OTP, world().url), { ...evil, code: '000000' })
    assert.notEqual(await acrAt(world(), alice.browser), 'twilio_sms')
  })

  test('the choice of one person’s page is none of another’s, not even of the same browser', async () => {
    const own = await openCodePage(world(), 'bob')
    const other = await openCodePage(world(), 'bob')
    for (const id of choicesOf(own.page)) {
      assert.equal((await choose(other.browser, { number: id })).status, 422)
    }
    const cookie = own.browser.cookieList(world().url).find(({ name }) => /browser/.test(name))
    const browser = createClient()
    browser.setCookie(world().url, `${cookie?.name}=${cookie?.value}; Path=/`)
    const alice = await openCodePage(world(), 'alice', browser)
    assert.equal(browser.cookies(world().url)[cookie?.name ?? ''], cookie?.value)
    for (const id of choicesOf(own.page)) await choose(alice.browser, { number: id })
    assert.ok(sent().every((to) => to === ALICE))
  })

  test('a claim that the provider has not verified is no number', async () => {
    const { provider } = world()
    provider.setClaims('alice', { phone_number: ALICE, phone_number_verified: false })
    const { page } = await openCodePage(world(), 'alice')
    provider.setClaims('alice', { phone_number: ALICE, phone_number_verified: 'false' })
    const text = await openCodePage(world(), 'alice')
    provider.setClaims('alice', { phone_number: ALICE, phone_number_verified: true })
    assertSays(page, 'no-number.lead')
    assertSays(text.page, 'no-number.lead')
    assert.deepEqual(sent(), [])
    assertSays((await openCodePage(world(), 'alice')).page, 'otp.notice.sent')
  })
})

describe('a number that changes at the source', () => {
  test('counts for the next code; the one that is under way holds to its number', async () => {
    let lookup: PhoneLookup = { kind: 'found', numbers: [ALICE] }
    const directory: PhoneDirectory = {
      lookUp: async () => lookup,
      check: async () => ({ kind: 'ok', detail: '' }),
      close: async () => {},
    }
    const world = await startStill({ overrides: { directory } })
    const to = () => world.messages().map((message) => message.to)
    try {
      const { browser } = await openCodePage(world, 'alice')
      lookup = { kind: 'found', numbers: [BOB[0]] }
      const page = await reload(world, browser)
      assert.match(page.text(), /ending in 86/)
      assert.deepEqual(to(), [ALICE])
      world.turnClock(5 * MINUTE)
      await pressSend(world, browser)
      assert.deepEqual(to(), [BOB[0], ALICE])
      assert.equal((await typeCode(world, browser, world.codeFor(ALICE))).status, 422)
      assert.equal((await typeCode(world, browser, world.codeFor(BOB[0]))).status, 303)

      const second = await openCodePage(world, 'alice')
      lookup = { kind: 'none' }
      const code = world.codeFor(BOB[0])
      assert.equal((await typeCode(world, second.browser, code)).status, 303)

      const detail = 'The directory did not answer in time.'
      lookup = { kind: 'unavailable', reason: 'timeout', detail }
      const third = await openCodePage(world, 'alice')
      assert.equal(third.page.status, 503)
      assertSays(third.page, 'unavailable.directory')
      const failed = world.logs('otp.send_failed').at(-1)
      assert.deepEqual([failed?.reason, failed?.detail], ['directory_timeout', detail])
      lookup = { kind: 'found', numbers: [ALICE] }
      assertSays(await reload(world, third.browser), 'otp.notice.sent')
    } finally {
      await world.close()
    }
  })
})
