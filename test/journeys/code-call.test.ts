import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { PAUSES } from '../../proxy/sms/circuit.ts'
import { declareSecret } from '../support/canaries.ts'
import {
  assertSays,
  DAY,
  hasField,
  MINUTE,
  OTP,
  openCodePage,
  overWorlds,
  pressSend,
  reload,
  SECOND,
  signIn,
  startStill,
  typeCode,
} from '../support/code-page.ts'
import type { Client, Page } from '../support/cookie-jar.ts'
import { readForms, submitForm } from '../support/form.ts'
import { ALICE, type World } from '../support/world.ts'

const LANDLINE = '+4930231250017'
const SWISS = '+41791234567'
const CALLER = '+4930231250001'

/** Presses "call me". */
function pressCall(world: World, browser: Client): Promise<Page> {
  return browser.post(new URL(`${OTP}/call`, world.url), { return_to: '/whoami' })
}

async function amrAt(world: World, browser: Client): Promise<readonly string[]> {
  const page = await browser.get(new URL('/whoami', world.url))
  assert.equal(page.status, 200)
  assert.equal(page.json().headers['x-stepgate-acr'], 'twilio_sms')
  return page.json().headers['x-stepgate-amr'].split(/[ ,]+/)
}

const offersCall = (page: Page) => page.text().includes(`action="${OTP}/call"`)
const isCall = ({ action }: { action: URL }) => action.pathname === `${OTP}/call`

const NAMED = { env: { STEPGATE_BRAND_NAME: 'Acme' } }

function codeByCall(world: () => World): void {
  let before = 0
  const sent = () => world().messages().length - before
  const channels = () =>
    world()
      .messages()
      .slice(0, sent())
      .map(({ channel }) => channel)
  beforeEach(() => {
    world().turnClock(DAY + 1)
    before = world().messages().length
  })

  test('is the code of the message, read out twice digit by digit, and gives amr tel', async () => {
    const { browser, page } = await openCodePage(world(), 'alice')
    assert.ok(offersCall(page))
    const code = world().codeFor(ALICE)
    world().turnClock(30 * SECOND)
    const offer = await reload(world(), browser)
    const called = await browser.followAll(await submitForm(browser, offer, {}, isCall))
    assertSays(called, 'otp.notice.calling')
    assertSays(called, 'otp.lead-call')
    assert.ok(hasField(called))
    const [call] = world().messages(ALICE)
    assert.equal(call?.channel, 'call')
    const digits = `${[...code].join(', ')}.`
    assert.deepEqual(call?.body.split(digits).length, 3)
    assert.doesNotMatch(call?.body.replaceAll(digits, '') ?? '', /\d/)

    world().turnClock(11 * SECOND)
    assertSays(await reload(world(), browser), 'otp.notice.already-called')
    assert.equal((await typeCode(world(), browser, code)).status, 303)
    const amr = await amrAt(world(), browser)
    for (const method of ['tel', 'otp', 'mfa']) assert.ok(amr.includes(method), method)
    assert.ok(!amr.includes('sms'))
    const sends = world().logs('otp.sent').slice(-2)
    assert.deepEqual(
      sends.map(({ channel }) => channel),
      ['sms', 'call'],
    )
    assert.equal(world().logs('otp.verified').at(-1)?.channel, 'call')
  })

  test('gives amr sms when a message was the last to go out', async () => {
    const { browser } = await openCodePage(world(), 'alice')
    world().turnClock(30 * SECOND)
    await pressCall(world(), browser)
    world().turnClock(60 * SECOND)
    assertSays(await browser.followAll(await pressSend(world(), browser)), 'otp.notice.resent')
    await typeCode(world(), browser, world().codeFor(ALICE))
    const amr = await amrAt(world(), browser)
    assert.ok(amr.includes('sms') && !amr.includes('tel'))
  })

  test('waits as a message does, and a double press is one call', async () => {
    const { browser } = await openCodePage(world(), 'alice')
    const early = await pressCall(world(), browser)
    assert.equal(early.status, 429)
    assertSays(early, 'otp.notice.call.wait')
    assert.ok(hasField(early))
    assert.equal(sent(), 1)
    world().turnClock(30 * SECOND)
    const presses = await Promise.all([
      ...Array.from({ length: 5 }, () => pressCall(world(), browser)),
      ...Array.from({ length: 5 }, () => pressSend(world(), browser)),
    ])
    assert.equal(presses.filter(({ status }) => status === 303).length, 1)
    assert.equal(sent(), 2)
    for (let n = 0; n < 5; n++) await reload(world(), browser)
    assert.equal(sent(), 2)
  })

  test('after the code has run out is a new one, by a call alone', async () => {
    const { browser } = await openCodePage(world(), 'alice')
    const old = world().codeFor(ALICE)
    world().turnClock(5 * MINUTE)
    assertSays(await browser.followAll(await pressCall(world(), browser)), 'otp.notice.calling')
    assert.deepEqual(channels(), ['call', 'sms'])
    assert.notEqual(world().codeFor(ALICE), old)
    assert.equal((await typeCode(world(), browser, old)).status, 422)
    assert.equal((await typeCode(world(), browser, world().codeFor(ALICE))).status, 303)
    assert.ok((await amrAt(world(), browser)).includes('tel'))
  })

  test('has limits of its own: five in a quarter of an hour, and messages go on', async () => {
    const { browser } = await signIn(world(), 'alice')
    for (let n = 0; n < 5; n++) {
      const other = await signIn(world(), 'alice')
      assert.equal((await pressCall(world(), other.browser)).status, 303)
    }
    const page = await pressCall(world(), browser)
    assert.equal(page.status, 429)
    assertSays(page, 'otp.notice.call.send-limited')
    assert.equal(sent(), 5)
    const { reason, channel } = world().logs('otp.send_failed').at(-1) ?? {}
    assert.deepEqual([reason, channel], ['limit_person', 'call'])
    assertSays(await browser.followAll(await pressSend(world(), browser)), 'otp.notice.sent')
    assert.equal(sent(), 6)
  })
}

overWorlds('a code by a call', codeByCall, NAMED)

describe('who may be called', () => {
  let world: World
  before(async () => {
    world = await startStill({
      env: {
        STEPGATE_SMS_COUNTRIES: 'DE',
        STEPGATE_VOICE_COUNTRIES: 'DE,CH',
        STEPGATE_TWILIO_VOICE_FROM: CALLER,
      },
    })
    for (const number of [LANDLINE, SWISS]) declareSecret('number', number.slice(1))
  })
  after(() => world.close())
  let asked = 0
  const requests = () => world.twilio.received().slice(asked)
  beforeEach(() => {
    world.turnClock(DAY + 1)
    asked = world.twilio.received().length
  })
  async function openWith(...numbers: string[]) {
    world.provider.setClaims('alice', { phone_number: numbers })
    return openCodePage(world, 'alice')
  }

  test('a landline: nothing is sent, the call comes first, and one press rings', async () => {
    const { browser, page } = await openWith(LANDLINE)
    assertSays(page, 'otp.notice.call-first')
    assertSays(page, 'otp.lead-no-code-call')
    assert.equal(hasField(page), false)
    await reload(world, browser)
    assert.deepEqual(requests(), [])
    const [first, second] = readForms(page).filter(({ action }) => action.pathname.startsWith(OTP))
    assert.deepEqual(
      [first?.action.pathname, second?.action.pathname],
      [`${OTP}/call`, `${OTP}/resend`],
    )
    const called = await browser.followAll(await submitForm(browser, page, {}, isCall))
    assertSays(called, 'otp.notice.calling')
    assert.deepEqual(
      requests().map(({ form }) => [form.From, form.To]),
      [[CALLER, LANDLINE]],
    )
    assert.equal((await typeCode(world, browser, world.codeFor(LANDLINE))).status, 303)
    assert.ok((await amrAt(world, browser)).includes('tel'))
  })

  test('a landline that was chosen among several is called, and the choice says so', async () => {
    const { browser, page } = await openWith(ALICE, LANDLINE)
    assert.equal(page.text().match(/We call this number/g)?.length, 1)
    const [, landline = ''] = [...page.text().matchAll(/name="number" value="([^"]+)"/g)].map(
      ([, id]) => id,
    )
    const called = await browser.followAll(await submitForm(browser, page, { number: landline }))
    assertSays(called, 'otp.notice.calling')
    assert.match(requests()[0]?.path ?? '', /Calls\.json$/)
    assert.equal(requests().length, 1)
  })

  test('a country that may be called and not texted: nothing is sent before a press', async () => {
    const { browser, page } = await openWith(SWISS)
    assertSays(page, 'otp.notice.call-first')
    assert.doesNotMatch(page.text(), /otp\/resend/)
    assert.deepEqual(requests(), [])
    await pressCall(world, browser)
    assert.deepEqual(
      requests().map(({ form }) => form.To),
      [SWISS],
    )
    const refused = await browser.followAll(await pressSend(world, browser))
    assertSays(refused, 'otp.notice.wait')
  })

  test('German hears German', async () => {
    world.provider.setClaims('alice', { phone_number: [ALICE] })
    const { browser, page } = await signIn(world, 'alice')
    const language = { headers: { 'accept-language': 'de' } }
    await browser.get(page.location ?? page.url, language)
    world.turnClock(30 * SECOND)
    await browser.post(new URL(`${OTP}/call`, world.url), { return_to: '/whoami' }, language)
    const twiml = requests().at(-1)?.form.Twiml ?? ''
    assert.match(twiml, /<Say language="de-DE">Guten Tag\. Hier ist [^<]+ Ihr Code lautet:<\/Say>/)
    assert.doesNotMatch(twiml, /language="en/)
  })

  const ERRORS: readonly (readonly [number, number, string, string])[] = [
    [21211, 400, 'refused.not_a_number', 'not_a_number'],
    [21215, 400, 'refused.country_not_enabled', 'country_not_enabled'],
    [13227, 400, 'refused.country_not_enabled', 'country_not_enabled'],
    [21214, 400, 'refused.not_routable', 'not_routable'],
    [21216, 400, 'refused.blocked', 'blocked'],
    [21210, 400, 'failed.sender_not_registered', 'sender_not_registered'],
    [21219, 400, 'failed.trial_account', 'trial_account'],
    [20003, 401, 'failed.credentials', 'credentials'],
    [20500, 500, 'failed.unavailable', 'unavailable'],
  ]
  for (const [code, status, sentence, reason] of ERRORS) {
    test(`with ${code} the page says why, the code of the message still counts, and it costs no wait`, async () => {
      const { browser } = await openWith(ALICE)
      world.turnClock(30 * SECOND)
      world.twilio.script({ kind: 'error', status, code })
      const page = await browser.followAll(await pressCall(world, browser))
      assertSays(page, `otp.notice.call.${sentence}`)
      assert.ok(hasField(page))
      const paths = readForms(page).map(({ action }) => action.pathname)
      assert.ok(paths.indexOf(`${OTP}/resend`) < paths.indexOf(`${OTP}/call`))
      const failed = world.logs('otp.send_failed').at(-1)
      assert.deepEqual(
        [failed?.channel, failed?.reason, failed?.error_code],
        ['call', reason, code],
      )
      // They are not tried again at once (code-twilio-down.test.ts).
      if (reason === 'credentials') world.turnClock(PAUSES.first)
      assertSays(await browser.followAll(await pressCall(world, browser)), 'otp.notice.calling')
      assert.equal(requests().length, 3)
    })
  }

  test('an answer that was lost: nobody is called twice', async () => {
    const { browser } = await openWith(ALICE)
    world.turnClock(30 * SECOND)
    world.twilio.script({ kind: 'reset' })
    const page = await browser.followAll(await pressCall(world, browser))
    assertSays(page, 'otp.notice.call.failed.unavailable')
    await reload(world, browser)
    assert.equal(requests().length, 2)
  })

  test('a caller that may not call is for the operator, who is told the variable', async () => {
    const { browser } = await openWith(ALICE)
    world.turnClock(30 * SECOND)
    world.twilio.script({ kind: 'error', status: 400, code: 21210 })
    await pressCall(world, browser)
    const [error] = world
      .logs()
      .filter(({ level }) => level === 'error')
      .slice(-1)
    assert.match(String(error?.msg), /STEPGATE_TWILIO_VOICE_FROM/)
  })

  test('a number that can’t get texts is offered the call first', async () => {
    world.provider.setClaims('alice', { phone_number: [ALICE] })
    const { browser, page: start } = await signIn(world, 'alice')
    world.twilio.script({ kind: 'error', status: 400, code: 21614 })
    const page = await browser.followAll(start)
    assertSays(page, 'otp.notice.refused.not_mobile')
    assertSays(page, 'otp.notice.refused.call')
    const paths = readForms(page).map(({ action }) => action.pathname)
    assert.ok(paths.indexOf(`${OTP}/call`) < paths.indexOf(`${OTP}/resend`))
    assertSays(await browser.followAll(await pressCall(world, browser)), 'otp.notice.calling')
    await typeCode(world, browser, world.codeFor(ALICE))
    assert.ok((await amrAt(world, browser)).includes('tel'))
  })
})

describe('without a caller', () => {
  test('no call is offered, and none is made', async () => {
    const world = await startStill({ env: { STEPGATE_TWILIO_VOICE_FROM: 'off' } })
    try {
      const { browser, page } = await openCodePage(world, 'alice')
      assert.ok(hasField(page))
      assert.ok(!offersCall(page))
      world.turnClock(30 * SECOND)
      assert.equal((await pressCall(world, browser)).status, 303)
      assert.equal(world.messages().length, 1)
      assert.deepEqual(world.logs('otp.send_failed'), [])
      world.provider.setClaims('alice', { phone_number: [LANDLINE] })
      assertSays((await openCodePage(world, 'alice')).page, 'otp.notice.sent')
    } finally {
      await world.close()
    }
  })
})
