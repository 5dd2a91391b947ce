import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { smsSegments } from '../../proxy/sms/segments.ts'
import { DAY, openCodePage, pressSend, SECOND, startStill } from '../support/code-page.ts'
import { createClient } from '../support/cookie-jar.ts'
import { ALICE, type World } from '../support/world.ts'

describe('the text that carries the code', () => {
  let world: World
  before(async () => {
    world = await startStill({ env: { STEPGATE_BRAND_NAME: 'Contoso' } })
  })
  after(() => world.close())
  beforeEach(() => world.turnClock(DAY + 1))

  async function textFor(language: string) {
    await openCodePage(world, 'alice', createClient({ language }))
    const body = world.messages(ALICE)[0]?.body ?? ''
    const code = world.codeFor(ALICE)
    assert.match(code, /^[0-9]{6}$/)
    assert.equal(body.split('\n').at(-1), `@127.0.0.1 #${code}`)
    assert.deepEqual(
      { ...smsSegments(body), units: 0 },
      { encoding: 'gsm-7', units: 0, segments: 1 },
    )
    return body.replaceAll(code, 'CODE')
  }

  test('is one segment, with the code bound to the configured host in its last line', async () => {
    const english = 'Contoso code CODE. Valid for 5 minutes. Never share it.\n@127.0.0.1 #CODE'
    assert.equal(await textFor('en'), english)
    assert.equal(await textFor('fr'), english)
  })

  test('speaks the language of the browser', async () => {
    assert.equal(
      await textFor('de-AT,en;q=0.5'),
      'Contoso-Code CODE. 5 Minuten gültig. Geben Sie ihn nie weiter.\n@127.0.0.1 #CODE',
    )
  })

  test('names the configured host whatever the request says of itself', async () => {
    const { browser } = await openCodePage(world, 'alice')
    world.turnClock(30 * SECOND)
    const headers = { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' }
    await browser.post(new URL('/_stepgate/otp/resend', world.url), {}, { headers })
    await browser.get(new URL('/_stepgate/otp', world.url), { headers: { host: 'evil.example' } })
    for (const { body } of world.messages(ALICE)) assert.doesNotMatch(body, /evil/)
  })

  test('asks Twilio to drop it when the code has expired, and says so as time goes by', async () => {
    const { browser } = await openCodePage(world, 'alice')
    const form = () => world.twilio.received().at(-1)?.form ?? {}
    assert.equal(form().ValidityPeriod, '300')
    assert.equal(form().From, '+4915228817000')
    world.turnClock(90 * SECOND)
    await pressSend(world, browser)
    assert.equal(form().ValidityPeriod, '210')
    assert.match(form().Body ?? '', /Valid for 3 minutes\./)
  })

  test('has as many digits as are configured', async () => {
    const other = await startStill({ env: { STEPGATE_OTP_LENGTH: '8', STEPGATE_OTP_TTL: '2m' } })
    try {
      await openCodePage(other, 'alice')
      assert.match(other.codeFor(ALICE), /^[0-9]{8}$/)
      assert.match(other.messages(ALICE)[0]?.body ?? '', /Valid for 2 minutes\./)
    } finally {
      await other.close()
    }
  })
})
