import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { type Store, StoreUnavailableError } from '../../proxy/store/store.ts'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'
import {
  acrAt,
  assertSays,
  comparedIn,
  DAY,
  hasField,
  OTP,
  openCodePage,
  pressSend,
  reload,
  SECOND,
  signIn,
  startStill,
  typeCode,
} from '../support/code-page.ts'
import { type Client, createClient, type Page } from '../support/cookie-jar.ts'
import { signInAtProvider } from '../support/sign-in.ts'
import { ALICE, type World } from '../support/world.ts'

type Operation = Exclude<keyof Store, 'close'>

const OPERATIONS: readonly Operation[] = [
  'get',
  'put',
  'swap',
  'take',
  'remove',
  'strike',
  'waive',
  'strikes',
  'counts',
  'uncount',
  'count',
  'revoke',
  'revocations',
  'ping',
]

/** A store whose operations can be made to fail. */
function breakable(store: Store): { store: Store; broken: Set<Operation> } {
  const broken = new Set<Operation>()
  const wrapped = OPERATIONS.map((name) => {
    const operation = store[name] as (...args: unknown[]) => Promise<unknown>
    const guarded = async (...args: unknown[]) => {
      if (broken.has(name)) throw new StoreUnavailableError(new Error('disk I/O error'))
      return operation(...args)
    }
    return [name, guarded]
  })
  return { store: { ...store, ...(Object.fromEntries(wrapped) as Partial<Store>) }, broken }
}

describe('while the store does not answer', () => {
  const { store, broken } = breakable(createMemoryStore())
  let world: World
  before(async () => {
    world = await startStill({ overrides: { store } })
  })
  after(() => world.close())
  beforeEach(() => world.turnClock(DAY + 1))
  afterEach(() => broken.clear())
  const breakAll = () => {
    for (const name of OPERATIONS) broken.add(name)
  }

  function assertUnavailable(page: Page): void {
    assert.equal(page.status, 503)
    assertSays(page, 'unavailable.store')
    assertSays(page, 'common.try-again')
    assert.equal(page.headers.get('retry-after'), '5')
  }

  async function notThrough(browser: Client): Promise<void> {
    assert.notEqual(await acrAt(world, browser), 'twilio_sms')
  }

  test('the code page and every form of it say so and let nobody through', async () => {
    const { browser } = await openCodePage(world, 'alice')
    const code = world.codeFor(ALICE)
    const sent = world.messages().length
    breakAll()
    assertUnavailable(await reload(world, browser))
    for (const page of [await typeCode(world, browser, code), await pressSend(world, browser)]) {
      assertUnavailable(page)
      assert.match(page.text(), /href="\/_stepgate\/otp\?return_to=%2F[^"]*"/, 'the way on')
    }
    assertUnavailable(await browser.get(new URL(`${OTP}/number`, world.url)))
    await notThrough(browser)
    assert.equal(world.messages().length, sent)

    broken.clear()
    assert.equal((await typeCode(world, browser, code)).status, 303)
    assert.equal(await acrAt(world, browser), 'twilio_sms')
  })

  test('a sign-in ends in that page, without a session, and works again afterwards', async () => {
    const browser = createClient()
    const start = await browser.get(new URL('/basic', world.url))
    breakAll()
    const failed = await signInAtProvider(browser, start, 'alice')
    assertUnavailable(failed)
    assert.match(failed.text(), /href="\/_stepgate\/sign-in\?return_to=%2Fbasic"/)
    assert.notEqual((await browser.get(new URL('/basic', world.url))).status, 200)
    broken.clear()
    const { page } = await openCodePage(world, 'alice', browser)
    assertSays(page, 'otp.notice.sent')
  })

  test('who is through goes on, and who signed in goes on to where that is enough', async () => {
    const through = (await openCodePage(world, 'alice')).browser
    await typeCode(world, through, world.codeFor(ALICE))
    const basic = (await signIn(world, 'bob')).browser
    breakAll()
    assert.equal(await acrAt(world, through), 'twilio_sms')
    assert.equal((await basic.get(new URL('/basic', world.url))).status, 200)
    assert.equal((await basic.get(new URL('/public', world.url))).status, 200)
    await notThrough(basic)
  })

  for (const name of ['get', 'swap', 'strike', 'strikes', 'count', 'put', 'remove'] as const) {
    test(`no message goes out twice and nobody gets through when ${name} alone fails`, async () => {
      const { browser } = await signIn(world, 'alice')
      const sent = world.messages().length
      broken.add(name)
      const first = await reload(world, browser)
      const second = await reload(world, browser)
      for (const page of [first, second]) {
        if (page.status !== 200) assertUnavailable(page)
      }
      assert.ok(world.messages().length - sent <= 1)
      await notThrough(browser)
      broken.clear()
      const page = await browser.followAll(await reload(world, browser))
      assert.equal(page.status, 200)
    })
  }

  for (const name of ['get', 'swap', 'strike', 'strikes'] as const) {
    test(`the right code gives no session when ${name} alone fails`, async () => {
      const { browser } = await openCodePage(world, 'alice')
      broken.add(name)
      const answer = await typeCode(world, browser, world.codeFor(ALICE))
      assertUnavailable(answer)
      assert.deepEqual(answer.headers.getSetCookie(), [])
      await notThrough(browser)
    })
  }

  for (const name of ['remove', 'uncount', 'put', 'count'] as const) {
    test(`the right code counts although ${name} fails once it was used, and the log says so`, async () => {
      const { browser } = await openCodePage(world, 'alice')
      const verified = world.logs('otp.verified').length
      const warnings = () => world.logs().filter(({ level }) => level === 'warn').length
      const before = warnings()
      broken.add(name)
      const answer = await typeCode(world, browser, world.codeFor(ALICE))
      assert.equal(answer.status, 303)
      assert.equal(await acrAt(world, browser), 'twilio_sms')
      assert.equal(world.logs('otp.verified').length, verified + 1)
      assert.equal(warnings(), before + 1)
    })
  }

  test('a code that could not be counted says in the end that nobody knows whether it came', async () => {
    const { browser } = await signIn(world, 'alice')
    const sent = world.messages().length
    broken.add('count')
    assertUnavailable(await reload(world, browser))
    broken.clear()
    world.turnClock(30 * SECOND)
    const page = await reload(world, browser)
    assertSays(page, 'otp.notice.failed.unavailable')
    assert.ok(hasField(page))
    assertSays(await typeCode(world, browser, '000000'), 'otp.notice.wrong')
    assertSays(await browser.followAll(await pressSend(world, browser)), 'otp.notice.sent')
    assert.equal(world.messages().length, sent + 1)
    assert.equal((await typeCode(world, browser, world.codeFor(ALICE))).status, 303)
  })

  test('the right code counts although the end of the session before can’t be written yet', async () => {
    const { browser } = await openCodePage(world, 'alice')
    const before = browser.copy()
    broken.add('revoke')
    const answer = await typeCode(world, browser, world.codeFor(ALICE))
    assert.equal(answer.status, 303)
    assert.equal(await acrAt(world, browser), 'twilio_sms')
    await notThrough(before)
  })

  test('a sign-out that can’t be written yet holds here, and the log says whose it is', async () => {
    const { browser } = await openCodePage(world, 'alice')
    broken.add('revoke')
    await typeCode(world, browser, world.codeFor(ALICE))
    const before = browser.copy()
    const from = new URL('/whoami', world.url)
    await browser.get(new URL('/_stepgate/sign-out', world.url), { from })
    await notThrough(before)
    const unwritten = world.logs().filter(({ msg }) => msg === 'A revocation is not written yet')
    assert.deepEqual(
      unwritten.slice(-2).map(({ request_id, subject, client }) => [request_id, subject, client]),
      ['otp.verified', 'session.ended'].map((event) => {
        const { request_id, subject, client } = world.logs(event).at(-1) ?? assert.fail()
        return [request_id, subject, client]
      }),
    )
  })

  test('no guess is compared that could not be counted', async () => {
    const { browser } = await openCodePage(world, 'alice')
    const compared = comparedIn(world)
    broken.add('strike')
    for (let n = 0; n < 10; n++) await typeCode(world, browser, '000000')
    assert.equal(comparedIn(world), compared)
  })
})
