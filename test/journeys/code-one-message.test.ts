import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import {
  acrAt,
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
  typeCode,
} from '../support/code-page.ts'
import { ALICE } from '../support/world.ts'

const times = <T>(count: number, act: () => Promise<T>) =>
  Promise.all(Array.from({ length: count }, act))

overWorlds('one message', (world) => {
  let before = 0
  const sent = () => world().messages().length - before
  beforeEach(() => {
    world().turnClock(DAY + 1)
    before = world().messages().length
  })

  test('however often the page is loaded again', async () => {
    const { browser } = await openCodePage(world(), 'alice')
    for (let n = 0; n < 20; n++) {
      const page = await reload(world(), browser)
      assert.equal(page.status, 200)
      assert.ok(hasField(page))
      world().turnClock(10 * SECOND)
    }
    assertSays(await reload(world(), browser), 'otp.notice.already-sent')
    world().turnClock(5 * MINUTE)
    assertSays(await reload(world(), browser), 'otp.notice.expired')
    assert.equal(sent(), 1)
  })

  test('when twenty tabs open the page at once, and each shows the field', async () => {
    const { browser } = await signIn(world(), 'alice')
    const pages = await times(20, () => reload(world(), browser))
    assert.deepEqual([...new Set(pages.map(({ status }) => status))], [200])
    assert.ok(pages.every(hasField))
    assert.equal(sent(), 1)
    assert.equal((await typeCode(world(), browser, world().codeFor(ALICE))).status, 303)
  })

  test('when ten tabs of one browser ask for pages at once', async () => {
    const { browser } = await signIn(world(), 'alice')
    const pages = await times(10, async () =>
      browser.followAll(await browser.get(new URL('/whoami', world().url))),
    )
    assert.ok(pages.every(hasField))
    assert.equal(sent(), 1)
    assert.equal((await typeCode(world(), browser, world().codeFor(ALICE))).status, 303)
    assert.equal(await acrAt(world(), browser), 'twilio_sms')
  })

  test('and none for what no person opens', async () => {
    const { browser } = await signIn(world(), 'alice')
    const url = new URL(OTP, world().url)
    const loads: readonly Record<string, string>[] = [
      { 'sec-purpose': 'prefetch' },
      { 'sec-purpose': 'prefetch;prerender' },
      { purpose: 'prefetch' },
      { 'x-purpose': 'preview' },
      { 'x-moz': 'prefetch' },
      { 'sec-fetch-dest': 'image', 'sec-fetch-mode': 'no-cors' },
      { 'sec-fetch-dest': 'empty', 'sec-fetch-mode': 'cors' },
      { 'sec-fetch-dest': 'iframe' },
      { 'sec-fetch-dest': 'script', 'sec-fetch-mode': 'no-cors' },
    ]
    for (const headers of loads) {
      const page = await browser.get(url, { headers })
      assert.ok(page.status < 500, JSON.stringify(headers))
    }
    assert.equal((await browser.request('HEAD', url)).status, 200)
    assert.equal(sent(), 0)
    assert.ok(hasField(await browser.get(url)))
    assert.equal(sent(), 1)
  })

  test('again after 30, 60 and 120 seconds, always with the same code', async () => {
    const { browser } = await openCodePage(world(), 'alice')
    const code = world().codeFor(ALICE)
    for (const [index, wait] of [30, 60, 120].entries()) {
      world().turnClock((wait - 1) * SECOND)
      const early = await pressSend(world(), browser)
      assert.equal(early.status, 429)
      assertSays(early, 'otp.notice.wait')
      assert.match(early.text(), /another one in 1 second/)
      assert.ok(hasField(early))
      assert.equal(sent(), index + 1)

      world().turnClock(SECOND)
      const again = await browser.followAll(await pressSend(world(), browser))
      assertSays(again, 'otp.notice.resent')
      assert.equal(sent(), index + 2)
      assert.equal(world().codeFor(ALICE), code)
    }
    world().turnClock(89 * SECOND)
    assert.equal((await typeCode(world(), browser, code)).status, 303)
  })

  test('for two presses at once', async () => {
    const { browser } = await openCodePage(world(), 'alice')
    world().turnClock(30 * SECOND)
    const pages = await times(2, () => pressSend(world(), browser))
    assert.deepEqual(pages.map(({ status }) => status).sort(), [303, 429])
    assert.equal(sent(), 2)
    world().turnClock(5 * MINUTE)
    await times(5, () => pressSend(world(), browser))
    assert.equal(sent(), 3)
  })

  test('after the code has expired holds a new code', async () => {
    const { browser } = await openCodePage(world(), 'alice')
    const code = world().codeFor(ALICE)
    world().turnClock(5 * MINUTE)
    const page = await browser.followAll(await pressSend(world(), browser))
    assertSays(page, 'otp.notice.sent')
    assert.notEqual(world().codeFor(ALICE), code)
    assert.equal(sent(), 2)
    assert.equal((await typeCode(world(), browser, world().codeFor(ALICE))).status, 303)
  })

  test('but ten in a quarter of an hour for one person, in however many browsers', async () => {
    for (let n = 0; n < 10; n++) await openCodePage(world(), 'alice')
    const { browser, page } = await openCodePage(world(), 'alice')
    assert.equal(page.status, 429)
    assertSays(page, 'otp.notice.send-limited')
    assert.equal(hasField(page), false)
    assert.equal(sent(), 10)
    world().turnClock(15 * MINUTE)
    assert.ok(hasField(await reload(world(), browser)))
    assert.equal(sent(), 11)
  })
})
