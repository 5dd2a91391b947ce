import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import {
  acrAt,
  assertSays,
  comparedIn,
  DAY,
  MINUTE,
  OTP,
  openCodePage,
  overWorlds,
  pressSend,
  reload,
  SECOND,
  signIn,
  typeCode,
  wrongCode,
} from '../support/code-page.ts'
import type { Client } from '../support/cookie-jar.ts'
import { ALICE, type World } from '../support/world.ts'

/** `count` wrong codes in a row, each compared, each five in a session of their own; waits are waited for. */
async function fail(world: World, count: number): Promise<Client> {
  let browser: Client | undefined
  for (let done = 0; done < count; ) {
    if (done % 5 === 0 || browser === undefined) {
      world.turnClock(15 * MINUTE)
      browser = (await openCodePage(world, 'alice')).browser
    }
    const before = comparedIn(world)
    const page = await typeCode(world, browser, wrongCode(world.codeFor(ALICE)))
    done += comparedIn(world) - before
    if (page.status !== 422 && done < count) {
      // A wait, or a code that expired in it.
      world.turnClock(Number(page.headers.get('retry-after') ?? 0) * SECOND)
      browser = (await openCodePage(world, 'alice')).browser
    }
  }
  assert.ok(browser)
  return browser
}

overWorlds('failures of a person', (world) => {
  beforeEach(() => world().turnClock(DAY + 1))

  test('stand against sending again, new codes, new sign-ins and old cookies', async () => {
    await fail(world(), 8)
    const { browser } = await openCodePage(world(), 'alice')
    const old = browser.copy()
    await typeCode(world(), browser, wrongCode(world().codeFor(ALICE)))
    world().turnClock(30 * SECOND)
    await pressSend(world(), browser)
    world().turnClock(5 * MINUTE)
    await pressSend(world(), browser)
    const fresh = await openCodePage(world(), 'alice')
    assert.equal(fresh.page.status, 200)
    const tenth = await typeCode(world(), fresh.browser, wrongCode(world().codeFor(ALICE)))
    assert.equal(tenth.status, 429)
    assertSays(tenth, 'locked.wait')
    const code = world().codeFor(ALICE)
    const compared = comparedIn(world())
    const sent = world().messages().length
    const another = await signIn(world(), 'alice')
    for (const each of [fresh.browser, old, another.browser]) {
      const page = await typeCode(world(), each, code)
      assert.equal(page.status, 429)
      assert.equal(page.headers.get('retry-after'), '30')
      assertSays(page, 'locked.wait')
      for (const other of [
        await reload(world(), each),
        await pressSend(world(), each),
        await each.get(new URL(`${OTP}/number`, world().url)),
      ]) {
        assert.equal(other.status, 429)
        assertSays(other, 'locked.wait')
      }
    }
    assert.equal(comparedIn(world()), compared)
    assert.equal(world().messages().length, sent)

    world().turnClock(30 * SECOND)
    assert.equal((await typeCode(world(), fresh.browser, code)).status, 303)
    assert.equal(await acrAt(world(), fresh.browser), 'twilio_sms')
  })

  test('wait 30 s, then 60, up to an hour; trying meanwhile prolongs nothing; success clears', async () => {
    let browser = await fail(world(), 10)
    for (const wait of [30, 60, 120, 240]) {
      const seconds = async () =>
        Number((await typeCode(world(), browser, '000000')).headers.get('retry-after'))
      assert.equal(await seconds(), wait)
      world().turnClock((wait - 1) * SECOND)
      assert.equal(await seconds(), 1)
      world().turnClock(SECOND)
      browser = (await openCodePage(world(), 'alice')).browser
      const wrong = await typeCode(world(), browser, wrongCode(world().codeFor(ALICE)))
      assert.equal(wrong.status, 429)
    }
    world().turnClock(480 * SECOND)
    const last = await openCodePage(world(), 'alice')
    assert.equal((await typeCode(world(), last.browser, world().codeFor(ALICE))).status, 303)
    const compared = comparedIn(world())
    await fail(world(), 9)
    assert.equal(comparedIn(world()), compared + 9)
    assert.equal((await openCodePage(world(), 'alice')).page.status, 200)
  })

  test('lock at fifty for a day, whatever is tried', async () => {
    const browser = await fail(world(), 50)
    const sent = world().messages().length
    const compared = comparedIn(world())
    const locked = await typeCode(world(), browser, world().codeFor(ALICE))
    assert.equal(locked.status, 429)
    assertSays(locked, 'locked.locked')
    assert.equal(locked.headers.get('retry-after'), String(DAY / SECOND))
    assert.equal(world().logs('otp.locked').at(-1)?.kind, 'locked')

    world().turnClock(DAY - 1)
    const fresh = await openCodePage(world(), 'alice')
    assertSays(fresh.page, 'locked.locked')
    await typeCode(world(), fresh.browser, '123456')
    assert.equal(world().messages().length, sent)
    assert.equal(comparedIn(world()), compared)

    world().turnClock(1)
    const open = await fresh.browser.followAll(await reload(world(), fresh.browser))
    assertSays(open, 'otp.notice.sent')
    assert.equal((await typeCode(world(), fresh.browser, world().codeFor(ALICE))).status, 303)
  })

  test('cannot be run up by somebody who has not signed in', async () => {
    const { browser } = await openCodePage(world(), 'alice')
    const compared = comparedIn(world())
    for (let n = 0; n < 12; n++) {
      const response = await fetch(new URL(OTP, world().url), {
        method: 'POST',
        redirect: 'manual',
        body: new URLSearchParams({ code: '123456', username: 'alice', subject: 'alice' }),
      })
      assert.ok(response.status < 500)
    }
    assert.equal(comparedIn(world()), compared)
    assert.equal((await typeCode(world(), browser, world().codeFor(ALICE))).status, 303)
  })
})
