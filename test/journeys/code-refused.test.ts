import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import {
  acrAt,
  assertSays,
  comparedIn,
  DAY,
  hasField,
  MINUTE,
  OTP,
  openCodePage,
  overWorlds,
  pressSend,
  reload,
  SECOND,
  typeCode,
  wrongCode,
} from '../support/code-page.ts'
import type { Client } from '../support/cookie-jar.ts'
import { readForms } from '../support/form.ts'
import { ALICE, BOB } from '../support/world.ts'

overWorlds('a code that must not work', (world) => {
  beforeEach(() => world().turnClock(DAY + 1))

  async function refused(browser: Client, code: string, sentence: string, status = 410) {
    const verified = world().logs('otp.verified').length
    const page = await typeCode(world(), browser, code)
    assert.equal(page.status, status)
    assertSays(page, sentence)
    assert.equal(world().logs('otp.verified').length, verified)
    assert.notEqual(await acrAt(world(), browser), 'twilio_sms')
    return page
  }

  test('one that was used: the session it was used in is dead, and a new one needs a new code', async () => {
    const { browser } = await openCodePage(world(), 'alice')
    const old = browser.copy()
    const code = world().codeFor(ALICE)
    assert.equal((await typeCode(world(), browser, code)).status, 303)
    assert.equal(await acrAt(world(), browser), 'twilio_sms')

    const again = await typeCode(world(), old, code)
    assert.equal(again.status, 303)
    assert.equal(again.location?.origin, world().provider.issuer.origin)
    assert.equal((await old.get(new URL('/basic', world().url))).status, 302)
    assert.equal(world().logs('otp.verified').length, 1)
  })

  test('one of another session of the same person, and the older of two', async () => {
    const first = await openCodePage(world(), 'alice')
    const older = world().codeFor(ALICE)
    const second = await openCodePage(world(), 'alice')
    const newer = world().codeFor(ALICE)
    assert.equal(world().messages(ALICE).length >= 2, true)

    const superseded = await refused(first.browser, older, 'otp.notice.superseded-elsewhere')
    assert.equal(hasField(superseded), false)
    assertSays(await reload(world(), first.browser), 'otp.notice.superseded-elsewhere')
    await refused(first.browser, newer, 'otp.notice.superseded-elsewhere')
    await refused(second.browser, older, 'otp.notice.wrong', 422)
    assert.equal((await typeCode(world(), second.browser, newer)).status, 303)

    world().turnClock(30 * SECOND)
    await pressSend(world(), first.browser)
    const newest = world().codeFor(ALICE)
    assert.equal((await typeCode(world(), first.browser, newest)).status, 303)
  })

  test('one of another person', async () => {
    const alice = await openCodePage(world(), 'alice')
    const bob = await openCodePage(world(), 'bob')
    const [choice] = [...bob.page.text().matchAll(/name="number" value="([^"]+)"/g)]
    const form = readForms(bob.page).find(({ fields }) => 'number' in fields)
    assert.ok(form)
    await bob.browser.post(form.action, { ...form.fields, number: choice?.[1] ?? '' })
    const [codeOfAlice, codeOfBob] = [world().codeFor(ALICE), world().codeFor(BOB[0])]
    await refused(bob.browser, codeOfAlice, 'otp.notice.wrong', 422)
    await refused(alice.browser, codeOfBob, 'otp.notice.wrong', 422)
    assert.equal((await typeCode(world(), alice.browser, codeOfAlice)).status, 303)
    assert.equal((await typeCode(world(), bob.browser, codeOfBob)).status, 303)
  })

  test('one of the number that was chosen before', async () => {
    const { browser, page } = await openCodePage(world(), 'bob')
    const choices = [...page.text().matchAll(/name="number" value="([^"]+)"/g)]
    const choose = (index: number) =>
      browser.post(new URL(`${OTP}/number`, world().url), {
        number: choices[index]?.[1] ?? '',
        return_to: '/whoami',
      })
    await choose(0)
    await choose(1)
    await refused(browser, world().codeFor(BOB[0]), 'otp.notice.wrong', 422)
    assert.equal((await typeCode(world(), browser, world().codeFor(BOB[1]))).status, 303)
  })

  test('one that has expired', async () => {
    const { browser } = await openCodePage(world(), 'alice')
    const code = world().codeFor(ALICE)
    world().turnClock(5 * MINUTE)
    const compared = comparedIn(world())
    const page = await refused(browser, code, 'otp.notice.expired')
    assert.equal(hasField(page), false)
    assertSays(await reload(world(), browser), 'otp.notice.expired')
    assert.equal(comparedIn(world()), compared)
    assert.equal(world().logs('otp.expired').at(-1)?.reason, 'expired')
  })

  test('one that was replaced after it expired', async () => {
    const { browser } = await openCodePage(world(), 'alice')
    const old = world().codeFor(ALICE)
    world().turnClock(5 * MINUTE)
    await pressSend(world(), browser)
    assert.notEqual(world().codeFor(ALICE), old)
    await refused(browser, old, 'otp.notice.wrong', 422)
    assert.equal((await typeCode(world(), browser, world().codeFor(ALICE))).status, 303)
  })

  test('one that is used up: no field, not even while a new one has to wait', async () => {
    const { browser } = await openCodePage(world(), 'alice')
    const code = world().codeFor(ALICE)
    for (let n = 0; n < 5; n++) {
      await refused(
        browser,
        wrongCode(code),
        n < 4 ? 'otp.notice.wrong' : 'otp.notice.wrong-last',
        422,
      )
    }
    await refused(browser, code, 'otp.notice.used-up')
    const early = await pressSend(world(), browser)
    assert.equal(early.status, 429)
    assertSays(early, 'otp.notice.wait')
    assert.equal(hasField(early), false)

    world().turnClock(30 * SECOND)
    const sent = await browser.followAll(await pressSend(world(), browser))
    assertSays(sent, 'otp.notice.sent')
    assert.notEqual(world().codeFor(ALICE), code)
    assert.equal((await typeCode(world(), browser, world().codeFor(ALICE))).status, 303)
  })

  test('without any code sent nothing is compared', async () => {
    const { browser } = await openCodePage(world(), 'bob')
    const compared = comparedIn(world())
    assert.equal((await typeCode(world(), browser, '123456')).status, 303)
    assert.equal(comparedIn(world()), compared)
    assert.notEqual(await acrAt(world(), browser), 'twilio_sms')
  })
})
