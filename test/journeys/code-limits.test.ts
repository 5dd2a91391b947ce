import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, describe, test } from 'node:test'
import { VALID_ENV } from '../config/valid-env.ts'
import { runCli } from '../support/cli.ts'
import {
  acrAt,
  assertSays,
  comparedIn,
  DAY,
  hasField,
  MINUTE,
  openCodePage,
  overWorlds,
  pressSend,
  reload,
  SECOND,
  startStill,
  typeCode,
  wrongCode,
} from '../support/code-page.ts'
import type { Page } from '../support/cookie-jar.ts'
import { ALICE, BOB, type World } from '../support/world.ts'

/** A new session that asks for a code. */
const ask = async (world: World, username = 'alice') => openCodePage(world, username)

function assertRefused(world: World, page: Page, sentence: string, by: string, time: string): void {
  assert.equal(page.status, 429)
  assertSays(page, `otp.notice.${sentence}`)
  assert.match(page.text(), new RegExp(`in ${time}`))
  assert.equal(hasField(page), false)
  const { reason, seconds } = world.logs('otp.send_failed').at(-1) ?? {}
  assert.equal(reason, `limit_${by}`)
  assert.ok(Number(seconds) > 0)
}

const PERSON = { STEPGATE_SMS_LIMIT_PERSON: '3/15m', STEPGATE_SMS_LIMIT_PREFIX: '4/1d' }

overWorlds(
  'messages to one person and to one prefix',
  (world) => {
    beforeEach(() => world().turnClock(31 * DAY))

    test('are refused beyond the limit, whatever the session, and the page says until when', async () => {
      for (let n = 0; n < 3; n++) assertSays((await ask(world())).page, 'otp.notice.sent')
      const sent = world().messages().length
      for (let n = 0; n < 2; n++) {
        const { browser, page } = await ask(world())
        assertRefused(world(), page, 'send-limited', 'person', '15 minutes')
        assert.equal((await pressSend(world(), browser)).status, 429)
        assert.equal((await reload(world(), browser)).status, 429)
      }
      assertSays((await ask(world(), 'bob')).page, 'choose.lead')
      assert.equal(world().messages().length, sent)
      world().turnClock(15 * MINUTE)
      assertSays((await ask(world())).page, 'otp.notice.sent')
    })

    test('are held back for an unknown number, until a code is used', async () => {
      for (let n = 0; n < 4; n++) {
        assertSays((await ask(world())).page, 'otp.notice.sent')
        world().turnClock(5 * MINUTE)
      }
      world().turnClock(15 * MINUTE)
      const { page } = await ask(world())
      assertRefused(world(), page, 'prefix-limited', 'prefix', '24 hours at the latest')
      assertSays(page, 'otp.notice.not-wait')

      world().turnClock(DAY)
      const first = await ask(world())
      for (let n = 0; n < 2; n++) await ask(world())
      const last = await ask(world())
      assertRefused(world(), last.page, 'send-limited', 'person', '15 minutes')
      await typeCode(world(), first.browser, world().codeFor(ALICE))
      world().turnClock(15 * MINUTE)
      const through = await ask(world())
      assert.equal((await typeCode(world(), through.browser, world().codeFor(ALICE))).status, 303)
      for (let n = 0; n < 6; n++) {
        const known = await ask(world())
        assertSays(known.page, 'otp.notice.sent')
        world().turnClock(15 * MINUTE)
      }
    })

    test('leave a code that lives to be entered', async () => {
      const { browser } = await ask(world())
      for (const wait of [30, 60]) {
        world().turnClock(wait * SECOND)
        assert.equal((await pressSend(world(), browser)).status, 303)
      }
      world().turnClock(120 * SECOND)
      const refused = await pressSend(world(), browser)
      assert.equal(refused.status, 429)
      assertSays(refused, 'otp.notice.send-limited')
      assert.equal(hasField(refused), true)
      assert.equal((await typeCode(world(), browser, world().codeFor(ALICE))).status, 303)
    })
  },
  { env: PERSON },
)

overWorlds(
  'messages from one address',
  (world) => {
    beforeEach(() => world().turnClock(DAY + 1))

    test('are refused to whoever comes, and a code that is used gives its own back', async () => {
      for (let n = 0; n < 2; n++) await ask(world())
      const bob = await ask(world(), 'bob')
      const choose = async (browser: typeof bob.browser, page: Page) => {
        const id = /name="number"[^>]*value="([^"]+)"/.exec(page.text())?.[1] ?? ''
        const url = new URL('/_stepgate/otp/number', world().url)
        return browser.post(url, { number: id, return_to: '/whoami' })
      }
      assert.equal((await choose(bob.browser, bob.page)).status, 303)
      const { page } = await ask(world())
      assertRefused(world(), page, 'send-limited', 'address', '15 minutes')
      const typed = await typeCode(world(), bob.browser, world().codeFor(BOB[0]))
      assert.equal(typed.status, 303)
      assertSays((await ask(world())).page, 'otp.notice.sent')
      const again = await ask(world())
      assertRefused(world(), again.page, 'send-limited', 'address', '15 minutes')
    })
  },
  { env: { STEPGATE_SMS_LIMIT_ADDRESS: '3/15m' } },
)

overWorlds(
  'the budget of a day',
  (world) => {
    test('warns at 80 %, then nobody is sent anything, codes that were sent go on, and it begins anew', async () => {
      const events = () =>
        [...world().logs('sms.budget_warning'), ...world().logs('sms.budget_spent')].map(
          ({ event, used, budget }) => ({ event, used, budget }),
        )
      for (let n = 0; n < 3; n++) await ask(world())
      assert.deepEqual(events(), [])
      await ask(world())
      const warning = { event: 'sms.budget_warning', used: 4, budget: 5 }
      assert.deepEqual(events(), [warning])
      const last = await ask(world())
      for (let n = 0; n < 3; n++) {
        const { page } = await ask(world())
        assertRefused(world(), page, 'budget-spent', 'budget', '24 hours')
        assertSays(page, 'otp.notice.not-wait')
      }
      const spent = { event: 'sms.budget_spent', used: undefined, budget: 5 }
      assert.deepEqual(events(), [warning, spent])
      assert.equal(world().messages().length, 5)
      await typeCode(world(), last.browser, world().codeFor(ALICE))
      assert.equal(await acrAt(world(), last.browser), 'twilio_sms')

      world().turnClock(DAY)
      assertSays((await ask(world())).page, 'otp.notice.sent')
      assert.equal(events().length, 2)
    })
  },
  { env: { STEPGATE_SMS_BUDGET: '5' } },
)

describe('a person who is locked', () => {
  const folder = mkdtempSync(join(tmpdir(), 'stepgate-unlock-'))
  after(() => rmSync(folder, { recursive: true }))

  test('may try again as soon as stepgate unlock has cleared the store of the running stepgate', async (t) => {
    const STEPGATE_STORE = `sqlite:${join(folder, 'stepgate.db')}`
    const world = await startStill({ env: { STEPGATE_STORE } })
    t.after(() => world.close())
    let { browser } = await ask(world)
    for (let n = 0; n < 10; n++) {
      if (n === 5) browser = (await ask(world)).browser
      await typeCode(world, browser, wrongCode(world.codeFor(ALICE)))
    }
    const { browser: fresh, page } = await ask(world)
    assert.equal(page.status, 429)
    assertSays(page, 'locked.wait')
    const compared = comparedIn(world)
    const subject = String(world.logs('otp.locked').at(-1)?.subject)

    const cli = await runCli(t, ['unlock', subject], { env: { ...VALID_ENV, STEPGATE_STORE } })
    assert.equal(cli.code, 0)
    assert.match(
      cli.stdout,
      new RegExp(`^${subject} had to wait until \\d{4}-.*Z and may try again`),
    )

    assertSays(await fresh.followAll(await reload(world, fresh)), 'otp.notice.sent')
    assert.equal((await typeCode(world, fresh, world.codeFor(ALICE))).status, 303)
    assert.equal(comparedIn(world), compared + 1)
  })
})
