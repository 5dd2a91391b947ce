import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { OPENS_AFTER, PAUSES } from '../../proxy/sms/circuit.ts'
import { createTwilioSender } from '../../proxy/sms/sender-twilio.ts'
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
import type { Client, Page } from '../support/cookie-jar.ts'
import { ACCOUNT, ALICE, type World } from '../support/world.ts'

const FALLBACK = '+4915228817111'
const DOWN = { kind: 'error', code: 20500 } as const
const FULL = { kind: 'error', code: 21611 } as const

/** What has happened in a world since its test began. */
function since(world: () => World) {
  let start = { asked: 0, sent: 0, lines: 0 }
  beforeEach(async () => {
    world().twilio.setPlan({ next: [], always: null })
    world().turnClock(DAY + 1)
    // Whatever the last test has left, Twilio works again.
    await openCodePage(world(), 'alice')
    world().turnClock(DAY + 1)
    start = {
      asked: world().twilio.received().length,
      sent: world().messages().length,
      lines: world().logs().length,
    }
  })
  const logs = () => world().logs().slice(start.lines)
  return {
    asked: () => world().twilio.received().length - start.asked,
    sent: () => world().messages().length - start.sent,
    events: (name: string) => logs().filter(({ event }) => event === name),
    errors: () => logs().filter(({ level }) => level === 'error'),
    warnings: () => logs().filter(({ level }) => level === 'warn'),
  }
}

async function press(world: World, browser: Client) {
  return browser.followAll(await pressSend(world, browser))
}

async function pressCall(world: World, browser: Client) {
  const call = new URL(`${OTP}/call`, world.url)
  return browser.followAll(await browser.post(call, { return_to: '/whoami' }))
}

/** Bob has a code sent to the first of his numbers. */
async function sendToBob(world: World): Promise<Client> {
  const { browser, page } = await openCodePage(world, 'bob')
  const [, number = ''] = /name="number" value="([^"]+)"/.exec(page.text()) ?? []
  const form = { return_to: '/whoami', number }
  await browser.followAll(await browser.post(new URL(`${OTP}/number`, world.url), form))
  return browser
}

/** Bob asks for a code, and Alice until nothing is tried any more. */
async function openCircuit(world: World): Promise<Client> {
  world.twilio.setPlan({ always: DOWN })
  await sendToBob(world)
  const { browser, page } = await openCodePage(world, 'alice')
  assertSays(page, 'otp.notice.failed.unavailable')
  for (let n = 2; n < OPENS_AFTER.failures; n++) {
    assertSays(await press(world, browser), 'otp.notice.failed.unavailable')
  }
  return browser
}

const choicesOf = (page: Page) =>
  [...page.text().matchAll(/name="number" value="([^"]+)"/g)].map(([, id = '']) => id)

async function choose(world: World, browser: Client, number = '') {
  const url = new URL(`${OTP}/number`, world.url)
  return browser.followAll(await browser.post(url, { number, return_to: '/whoami' }))
}

const MANY_CALLS = {
  env: {
    STEPGATE_VOICE_LIMIT_PERSON: '50/1d',
    STEPGATE_VOICE_LIMIT_NUMBER: '50/1d',
    STEPGATE_VOICE_LIMIT_PREFIX: '50/1d',
  },
}

overWorlds(
  'Twilio down',
  (world) => {
    const { asked, sent, events, errors } = since(world)

    test('after repeated failure the page says at once when to try again, and nothing is tried', async () => {
      await openCircuit(world())
      assert.equal(asked(), OPENS_AFTER.failures)
      const { browser, page } = await openCodePage(world(), 'alice')
      assert.equal(page.status, 200)
      assertSays(page, 'otp.notice.send-paused')
      assertSays(page, 'otp.notice.send-paused-time')
      assert.match(page.text(), /Try again in 15 seconds/)
      assert.match(page.text(), /data-countdown="15"/)
      assert.equal(hasField(page), false)
      assertSays(await reload(world(), browser), 'otp.notice.send-paused')
      for (let n = 0; n < 12; n++) {
        assertSays(await press(world(), browser), 'otp.notice.send-paused')
      }
      assert.equal(asked(), OPENS_AFTER.failures)
      assert.equal(events('otp.send_failed').at(-1)?.reason, 'circuit_open')
      world().turnClock(PAUSES.first)
      assertSays(await reload(world(), browser), 'otp.notice.send-paused-over')
      world().twilio.setPlan({ always: null })
      assertSays(await press(world(), browser), 'otp.notice.sent')
      assert.equal(sent(), 1)
    })

    test('one person for whom it always fails holds up nobody else', async () => {
      world().twilio.setPlan({ always: DOWN })
      const { browser } = await openCodePage(world(), 'alice')
      for (let n = 1; n < OPENS_AFTER.failures; n++) {
        assertSays(await press(world(), browser), 'otp.notice.failed.unavailable')
      }
      assert.deepEqual(events('sms.circuit_opened'), [])
      world().twilio.setPlan({ always: null })
      await sendToBob(world())
      assert.equal(sent(), 1)
    })

    test('the sign-in is not lost: it heals by itself, costs no wait, and the code leads on', async () => {
      await openCircuit(world())
      const { browser } = await openCodePage(world(), 'alice')
      const whoAmI = await browser.get(new URL('/basic', world().url))
      assert.equal(whoAmI.status, 200)
      world().twilio.setPlan({ always: null })
      world().turnClock(PAUSES.first)
      assertSays(await press(world(), browser), 'otp.notice.sent')
      assert.equal(sent(), 1)
      const done = await typeCode(world(), browser, world().codeFor(ALICE))
      assert.equal(done.location?.pathname, '/whoami')
      assert.equal(await acrAt(world(), browser), 'twilio_sms')
      assert.equal(hasField((await openCodePage(world(), 'alice')).page), true)
      assert.deepEqual(
        [events('sms.circuit_opened').length, events('sms.circuit_closed').length],
        [1, 1],
      )
    })

    test('people can still be called, and only what fails is held back', async () => {
      await openCircuit(world())
      const { browser, page } = await openCodePage(world(), 'alice')
      assertSays(page, 'otp.notice.refused.call')
      const buttons = [
        ...page.text().matchAll(/action="\/_stepgate\/otp\/(\w+)"[\s\S]*?<button([^>]*)>/g),
      ]
      assert.deepEqual(
        buttons.map(([, way, attributes = '']) => [way, attributes.includes('data-countdown')]),
        [
          ['call', false],
          ['resend', true],
        ],
      )
      world().twilio.setPlan({ always: null })
      assertSays(await pressCall(world(), browser), 'otp.notice.calling')
      assert.equal((await typeCode(world(), browser, world().codeFor(ALICE))).status, 303)
      assert.deepEqual(events('voice.circuit_opened'), [])
    })

    test('calls that fail are held back by themselves, and texts go out', async () => {
      const bob = await sendToBob(world())
      const { browser } = await openCodePage(world(), 'alice')
      world().turnClock(30 * SECOND)
      world().twilio.setPlan({ always: DOWN })
      await pressCall(world(), bob)
      for (let n = 1; n < OPENS_AFTER.failures; n++) await pressCall(world(), browser)
      const before = asked()
      const held = await pressCall(world(), browser)
      assertSays(held, 'otp.notice.call.send-paused')
      assertSays(held, 'otp.notice.send-paused-time')
      assert.equal(asked(), before)
      assert.deepEqual(
        [events('voice.circuit_opened').length, events('sms.circuit_opened').length],
        [1, 0],
      )
      world().twilio.setPlan({ always: null })
      assertSays(await press(world(), browser), 'otp.notice.resent')
      world().turnClock(MINUTE)
      assertSays(await pressCall(world(), browser), 'otp.notice.calling')
      assert.equal(events('voice.circuit_closed').length, 1)
    })

    test('with calls down, too, nobody is told that we can call, and the order stays', async () => {
      const { browser } = await openCodePage(world(), 'alice')
      world().turnClock(30 * SECOND)
      world().twilio.setPlan({ always: DOWN })
      const bob = await openCodePage(world(), 'bob')
      await choose(world(), bob.browser, choicesOf(bob.page)[0])
      for (let n = 1; n < OPENS_AFTER.failures; n++) await press(world(), browser)
      await pressCall(world(), bob.browser)
      for (let n = 1; n < OPENS_AFTER.failures; n++) await pressCall(world(), browser)
      for (const page of [
        await press(world(), browser),
        (await openCodePage(world(), 'alice')).page,
      ]) {
        assert.match(page.text(), /isn’t working at the moment/)
        assert.doesNotMatch(page.text(), /we can call you/)
        const ways = [...page.text().matchAll(/action="\/_stepgate\/otp\/(\w+)"/g)]
        assert.deepEqual(
          ways.map(([, way]) => way),
          ['resend', 'call'],
        )
      }
      const held = await press(world(), browser)
      assertSays(held, 'otp.notice.send-paused-again')
      assertSays(held, 'otp.notice.code-before')
      assert.ok(hasField(held))
      world().twilio.setPlan({ always: null })
      world().turnClock(MINUTE)
      assertSays(await pressCall(world(), browser), 'otp.notice.calling')
    })

    test('a code in hand survives whatever is tried meanwhile, in another browser or with another number', async () => {
      const first = await openCodePage(world(), 'alice')
      const code = world().codeFor(ALICE)
      const { browser: bob, page: choice } = await openCodePage(world(), 'bob')
      const [one, two] = choicesOf(choice)
      await choose(world(), bob, one)
      const bobsCode = world().messages()[0]?.body.match(/\d{6}/)?.[0] ?? ''
      world().twilio.setPlan({ always: { kind: 'error', code: 20003 } })
      for (let n = 0; n < 2; n++) {
        const { page } = await openCodePage(world(), 'alice')
        assertSays(page, 'otp.notice.failed.credentials')
        assert.equal(hasField(page), false)
        const held = await choose(world(), bob, two)
        assertSays(held, 'otp.notice.chosen-number')
        assertSays(held, 'otp.notice.failed.credentials')
        assertSays(held, 'otp.notice.code-before')
        assert.ok(hasField(held))
        assert.equal(asked(), 3)
      }
      assertSays(await reload(world(), bob), 'otp.notice.sent')
      assert.equal((await typeCode(world(), bob, bobsCode)).status, 303)
      assert.equal((await typeCode(world(), first.browser, code)).status, 303)
      assert.deepEqual(events('otp.wrong'), [])
    })

    test('a code that came before the trouble can still be typed in', async () => {
      const { browser } = await openCodePage(world(), 'alice')
      const code = world().codeFor(ALICE)
      world().turnClock(30 * SECOND)
      world().twilio.setPlan({ always: DOWN })
      await sendToBob(world())
      for (let n = 1; n < OPENS_AFTER.failures; n++) await press(world(), browser)
      const held = await press(world(), browser)
      assertSays(held, 'otp.notice.send-paused-again')
      assertSays(held, 'otp.notice.code-before')
      assert.ok(hasField(held))
      assert.equal((await typeCode(world(), browser, code)).status, 303)
    })

    test('readyz says that messages are held back, and stays ready', async () => {
      const ready = async () => {
        const answer = await fetch(new URL('/_stepgate/readyz', world().url))
        const { checks } = (await answer.json()) as { checks: { sms: string; calls: string } }
        assert.equal(checks.calls, 'ok')
        return [answer.status, checks.sms]
      }
      assert.deepEqual(await ready(), [200, 'ok'])
      const browser = await openCircuit(world())
      assert.deepEqual(await ready(), [200, 'degraded'])
      world().twilio.setPlan({ always: null })
      world().turnClock(PAUSES.first)
      await press(world(), browser)
      assert.deepEqual(await ready(), [200, 'ok'])
    })

    test('wrong credentials stop all sends at once, and the operator is told once', async () => {
      world().twilio.setPlan({ always: { kind: 'error', code: 20003 } })
      const { browser, page } = await openCodePage(world(), 'alice')
      assertSays(page, 'otp.notice.failed.credentials')
      for (let n = 0; n < 5; n++) {
        assertSays(await press(world(), browser), 'otp.notice.failed.credentials')
      }
      assert.equal(asked(), 1)
      for (let n = 0; n < 3; n++) {
        world().turnClock(PAUSES.most)
        assertSays(await press(world(), browser), 'otp.notice.failed.credentials')
      }
      assert.equal(asked(), 4)
      assert.equal(errors().length, 1)
      assert.match(String(errors()[0]?.msg), /STEPGATE_TWILIO_TOKEN/)
      assert.deepEqual(
        events('sms.circuit_opened').map(({ reason }) => reason),
        ['credentials'],
      )
      world().twilio.setPlan({ always: null })
      world().turnClock(PAUSES.most)
      assertSays((await openCodePage(world(), 'alice')).page, 'otp.notice.sent')
    })

    test('a connection that breaks after the message was taken gives one message, and its code works', async () => {
      const { browser, page: start } = await signIn(world(), 'alice')
      world().twilio.setPlan({ next: [{ kind: 'reset', delivers: true }] })
      const page = await browser.followAll(start)
      assertSays(page, 'otp.notice.failed.unavailable')
      await reload(world(), browser)
      assert.deepEqual([asked(), sent()], [1, 1])
      assert.equal((await typeCode(world(), browser, world().codeFor(ALICE))).status, 303)
    })
  },
  MANY_CALLS,
)

let slow: World | undefined
const impatient = {
  send: (message: Parameters<ReturnType<typeof createTwilioSender>['send']>[0]) => {
    const { accountSid, authToken } = ACCOUNT
    const from = { kind: 'number', number: '+4915228817000' } as const
    const twilio = { accountSid, from, ...(slow && { apiUrl: slow.phoneUrl }) }
    return createTwilioSender(twilio, authToken, { timeout: 2_000 }).send(message)
  },
  call: async () => ({ kind: 'failed', reason: 'unavailable' }) as const,
  check: async () => ({ kind: 'ok', detail: '' }) as const,
}

overWorlds(
  'Twilio that hangs',
  (world) => {
    const { asked, sent } = since(world)
    test('has one message for each press, and each holds the same code', async () => {
      slow = world()
      world().twilio.setPlan({ next: [{ kind: 'hang', delivers: true }] })
      const { browser, page } = await openCodePage(world(), 'alice')
      assertSays(page, 'otp.notice.failed.unavailable')
      assert.ok(hasField(page))
      assert.deepEqual([asked(), sent()], [1, 1])
      const code = world().codeFor(ALICE)
      world().turnClock(SECOND)
      assertSays(await press(world(), browser), 'otp.notice.resent')
      assert.deepEqual([asked(), sent()], [2, 2])
      assert.equal(world().codeFor(ALICE), code)
      assert.equal((await typeCode(world(), browser, code)).status, 303)
    })
  },
  { overrides: { sender: impatient } },
)

overWorlds(
  'a second sender',
  (world) => {
    const { asked, sent, warnings } = since(world)
    const from = () => world().messages()[0]?.from

    test('sends within the same press what Twilio refuses from the first', async () => {
      world().twilio.setPlan({ next: [{ kind: 'error', code: 21612 }] })
      const { browser, page } = await openCodePage(world(), 'alice')
      assertSays(page, 'otp.notice.sent')
      assert.deepEqual([asked(), sent(), from()], [2, 1, FALLBACK])
      assert.match(String(warnings()[0]?.msg), /STEPGATE_TWILIO_FALLBACK_FROM was used/)
      assert.equal((await typeCode(world(), browser, world().codeFor(ALICE))).status, 303)
    })

    test('helps when the first has too many to send, at once', async () => {
      world().twilio.setPlan({ next: [FULL] })
      assertSays((await openCodePage(world(), 'alice')).page, 'otp.notice.sent')
      assert.deepEqual([asked(), sent(), from()], [2, 1, FALLBACK])
    })

    test('calls within the same press when Twilio refuses the first number', async () => {
      const { browser } = await openCodePage(world(), 'alice')
      world().turnClock(30 * SECOND)
      world().twilio.setPlan({ next: [{ kind: 'error', code: 21210 }] })
      assertSays(await pressCall(world(), browser), 'otp.notice.calling')
      assert.deepEqual([asked(), sent(), from()], [3, 2, FALLBACK])
      assert.equal(warnings()[0]?.channel, 'call')
    })

    test('what it sends and whom it calls is reported, too', async () => {
      world().twilio.setPlan({ next: [{ kind: 'error', code: 21612 }] })
      const { browser } = await openCodePage(world(), 'alice')
      assert.equal(await world().twilio.report({ status: 'delivered' }), 204)
      assertSays(await reload(world(), browser), 'otp.notice.delivered')
      world().turnClock(30 * SECOND)
      world().twilio.setPlan({ next: [{ kind: 'error', code: 21210 }] })
      await pressCall(world(), browser)
      assert.equal(await world().twilio.report({ status: 'busy' }), 204)
      assertSays(await reload(world(), browser), 'otp.notice.undelivered.not_answered')
    })

    test('is never asked when the first message may be on its way, or the number is at fault', async () => {
      for (const answer of [
        { kind: 'reset', delivers: true },
        { kind: 'nonsense' },
        DOWN,
        { kind: 'error', code: 21610 },
        { kind: 'error', code: 20003 },
        { kind: 'error', code: 30007 },
      ] as const) {
        const before = asked()
        world().twilio.setPlan({ next: [answer] })
        await openCodePage(world(), 'alice')
        assert.equal(asked(), before + 1, JSON.stringify(answer))
        world().turnClock(PAUSES.most)
      }
      assert.equal(sent(), 1)
    })
  },
  { env: { STEPGATE_TWILIO_FALLBACK_FROM: FALLBACK } },
)
