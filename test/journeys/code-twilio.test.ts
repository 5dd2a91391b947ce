import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { PAUSES } from '../../proxy/sms/circuit.ts'
import type { SendOutcome } from '../../proxy/sms/sender.ts'
import {
  assertSays,
  DAY,
  hasField,
  openCodePage,
  pressSend,
  reload,
  SECOND,
  signIn,
  startStill,
  typeCode,
} from '../support/code-page.ts'
import { ALICE, type World } from '../support/world.ts'

/** Twilio's code and status, our reason, the page's sentence, and whether the operator is told. */
const ERRORS: readonly (readonly [number, number, string, 'refused' | 'failed', boolean])[] = [
  [20003, 401, 'credentials', 'failed', true],
  [20404, 404, 'credentials', 'failed', true],
  [21211, 400, 'not_a_number', 'refused', false],
  [21614, 400, 'not_mobile', 'refused', false],
  [21408, 403, 'country_not_enabled', 'refused', false],
  [21608, 400, 'trial_account', 'failed', true],
  [21610, 400, 'opted_out', 'refused', false],
  [21612, 400, 'not_routable', 'refused', false],
  [21606, 400, 'sender_not_registered', 'failed', true],
  [21617, 400, 'rejected', 'failed', true],
  [20500, 500, 'unavailable', 'failed', true],
  [20503, 503, 'unavailable', 'failed', true],
]

describe('when Twilio does not take a message', () => {
  let world: World
  before(async () => {
    world = await startStill()
  })
  after(() => world.close())
  let asked = 0
  let errors = 0
  const requests = () => world.twilio.received().length - asked
  const operatorErrors = () =>
    world
      .logs()
      .filter(({ level }) => level === 'error')
      .slice(errors)
  beforeEach(() => {
    world.turnClock(DAY + 1)
    asked = world.twilio.received().length
    errors = world.logs().filter(({ level }) => level === 'error').length
  })

  for (const [code, status, reason, kind, operator] of ERRORS) {
    test(`with ${code}: the page says why, the log too, and it costs no wait`, async () => {
      const said = `${ALICE} can not be reached`
      world.twilio.script({ kind: 'error', status, code, message: said })
      const { browser, page } = await openCodePage(world, 'alice')
      assert.equal(page.status, 200)
      assertSays(page, `otp.notice.${kind}.${reason}`)
      assert.equal(hasField(page), reason === 'unavailable')
      assert.equal(requests(), 1)
      const failed = world.logs('otp.send_failed').at(-1)
      assert.equal(failed?.reason, reason)
      assert.equal(failed?.error_code, code)
      assert.equal(failed?.status, kind === 'failed' ? status : undefined)
      assert.equal(operatorErrors().length, operator ? 1 : 0)
      if (operator) {
        const [told] = operatorErrors()
        assert.deepEqual([told?.error_code, told?.status], [code, status])
      }

      assertSays(await reload(world, browser), `otp.notice.${kind}.${reason}`)
      assert.equal(requests(), 1)
      // They are not tried again at once (code-twilio-down.test.ts).
      if (reason === 'credentials') world.turnClock(PAUSES.first)
      const again = await browser.followAll(await pressSend(world, browser))
      assert.ok(hasField(again))
      assert.equal(requests(), 2)
      assert.equal((await typeCode(world, browser, world.codeFor(ALICE))).status, 303)
    })
  }

  test('for wrong credentials the operator is told which variables to look at', async () => {
    world.twilio.script({ kind: 'error', status: 401, code: 20003 })
    await openCodePage(world, 'alice')
    assert.match(String(operatorErrors()[0]?.msg), /STEPGATE_TWILIO_SID and STEPGATE_TWILIO_TOKEN/)
  })

  test('for want of room it is tried once more within the press, and not more often', async () => {
    world.twilio.script({ kind: 'error', status: 429, code: 20429 })
    assertSays((await openCodePage(world, 'alice')).page, 'otp.notice.sent')
    assert.equal(requests(), 2)
    const busy = { kind: 'error', status: 429, code: 20429 } as const
    world.turnClock(DAY)
    world.twilio.script(busy, busy)
    const { page } = await openCodePage(world, 'alice')
    assertSays(page, 'otp.notice.failed.rate_limited')
    assert.equal(hasField(page), false)
    assert.equal(requests(), 4)
    assert.deepEqual(operatorErrors(), [])
  })

  for (const [name, script, said] of [
    ['is cut off', { kind: 'reset' }, [undefined, 'ECONNRESET']],
    ['is no JSON', { kind: 'raw', status: 200, body: '<html>502</html>' }, [undefined, undefined]],
    [
      'is JSON of another shape',
      { kind: 'raw', status: 201, body: '{"sid":5}' },
      [undefined, undefined],
    ],
    ['is empty', { kind: 'raw', status: 500, body: '' }, [500, undefined]],
  ] as const) {
    test(`an answer that ${name}: nothing is sent twice, and the code may still be entered`, async () => {
      const { browser, page: start } = await signIn(world, 'alice')
      world.twilio.script(script)
      const page = await browser.followAll(start)
      assert.equal(page.status, 200)
      assertSays(page, 'otp.notice.failed.unavailable')
      assert.ok(hasField(page))
      await reload(world, browser)
      assert.equal(requests(), 1)
      const code = String(world.twilio.received().at(-1)?.form.Body).slice(-6)
      assert.equal((await typeCode(world, browser, code)).status, 303)
      for (const line of [world.logs('otp.send_failed').at(-1), operatorErrors()[0]]) {
        assert.deepEqual([line?.status, line?.network], said)
      }
      assert.equal(world.logs('otp.send_failed').at(-1)?.reason, 'unavailable')
    })
  }

  test('a repeat that fails leaves the code of the first message to be entered', async () => {
    const { browser } = await openCodePage(world, 'alice')
    world.turnClock(30 * SECOND)
    world.twilio.script({ kind: 'error', status: 400, code: 21610 })
    const page = await browser.followAll(await pressSend(world, browser))
    assertSays(page, 'otp.notice.refused.opted_out')
    assert.ok(hasField(page))
    assert.equal((await typeCode(world, browser, world.codeFor(ALICE))).status, 303)
  })

  test('while it hangs: other tabs see the page, presses send nothing, the code works already', async () => {
    const { browser, page: start } = await signIn(world, 'alice')
    const answer = Promise.withResolvers<void>()
    world.twilio.script({ kind: 'wait', until: answer.promise })
    const first = browser.followAll(start)
    while (requests() < 1) await new Promise(setImmediate)

    const tab = browser.copy()
    const page = await reload(world, tab)
    assert.equal(page.status, 200)
    assert.ok(hasField(page))
    assert.equal((await pressSend(world, tab)).status, 429)
    assert.equal(requests(), 1)
    const code = String(world.twilio.received().at(-1)?.form.Body).slice(-6)
    assert.equal((await typeCode(world, tab, code)).status, 303)

    answer.resolve()
    await first
    assert.equal(requests(), 1)
    const used = await typeCode(world, browser, code)
    assert.equal(used.location?.origin, world.provider.issuer.origin)
  })
})

describe('when Twilio never answers', () => {
  test('the page says that nobody knows, sends once, and takes the code', async () => {
    // The adapter's own tests prove that it gives up in time and what it says then.
    const codes: string[] = []
    const world = await startStill({
      overrides: {
        sender: {
          async send({ body }): Promise<SendOutcome> {
            codes.push(body.slice(-6))
            return { kind: 'failed', reason: 'unavailable' }
          },
          call: () => assert.fail('nobody asked for a call'),
          check: async () => ({ kind: 'ok', detail: '' }),
        },
      },
    })
    try {
      const { browser, page } = await openCodePage(world, 'alice')
      assertSays(page, 'otp.notice.failed.unavailable')
      await reload(world, browser)
      assert.equal(codes.length, 1)
      await pressSend(world, browser)
      assert.equal(codes.length, 2)
      assert.equal(codes[0], codes[1])
      assert.equal((await typeCode(world, browser, codes[0] ?? '')).status, 303)
    } finally {
      await world.close()
    }
  })
})
