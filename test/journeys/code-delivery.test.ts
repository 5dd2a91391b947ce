import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import {
  acrAt,
  assertSays,
  DAY,
  hasField,
  MINUTE,
  openCodePage,
  overWorlds,
  pressSend,
  reload,
  SECOND,
  signIn,
  startStill,
  typeCode,
  wrongCode,
} from '../support/code-page.ts'
import type { Client, Page } from '../support/cookie-jar.ts'
import { openEvents, postStatus, STATUS } from '../support/delivery.ts'
import { until } from '../support/until.ts'
import { ALICE, type World } from '../support/world.ts'

const TOKEN = 'canary-twilio-token-51b0c8e2'
const statusOf = (world: World, browser: Client): Promise<Page> =>
  browser.get(new URL('/_stepgate/otp/status', world.url))
const resendIn = (page: Page) =>
  Number(/data-countdown="(\d+)" data-running="Send again/.exec(page.text())?.[1] ?? 0)

type Undelivered = readonly [
  code: number | undefined,
  reason: string,
  /** The second sentence, where people can be called and where not. */
  wayOn: readonly [string | undefined, string | undefined],
  operator: boolean,
]
const AGAIN = ['again-or-call', 'again'] as const
const CALL = ['call', 'support'] as const
const NEITHER = [undefined, undefined] as const

const UNDELIVERED: readonly Undelivered[] = [
  [30003, 'unreachable', AGAIN, false],
  [30004, 'blocked', CALL, false],
  [30005, 'not_in_service', ['support', 'support'], false],
  [30006, 'landline', CALL, false],
  [30007, 'filtered', ['call', undefined], true],
  [30008, 'lost', AGAIN, false],
  [30032, 'filtered', ['call', undefined], true],
  [30034, 'filtered', ['call', undefined], true],
  [30450, 'blocked', CALL, false],
  [21610, 'opted_out', NEITHER, false],
  [30002, 'fault', NEITHER, true],
  [undefined, 'lost', AGAIN, false],
]

overWorlds('what Twilio reports of a message', (current) => {
  let world: World
  let sentBefore = 0
  beforeEach(() => {
    world = current()
    world.turnClock(DAY + 1)
    sentBefore = world.messages().length
  })
  /** What happened besides requests, and what operators are told. */
  const events = () =>
    world.logs().filter(({ event, level }) => event !== 'request' && (event ?? level !== 'debug'))
  const sent = () => world.messages().length - sentBefore
  const say = (status: string, errorCode?: number) =>
    world.twilio.report({ status, ...(errorCode !== undefined && { errorCode }) })

  test('is on the page when it is loaded again: on its way, with the network, delivered', async () => {
    const { browser, page } = await openCodePage(world, 'alice')
    assertSays(page, 'otp.notice.sent')
    for (const status of ['queued', 'sending']) {
      assert.equal(await say(status), 204)
      assertSays(await reload(world, browser), 'otp.notice.sent')
    }
    assert.equal(await say('sent'), 204)
    assertSays(await reload(world, browser), 'otp.notice.handed-over')
    assert.equal(await say('delivered'), 204)
    assertSays(await reload(world, browser), 'otp.notice.delivered')
    assert.equal(sent(), 1)
    const audited = world.logs('otp.delivered').at(-1)
    assert.equal(audited?.message, world.twilio.sent()[0]?.sid)
    assert.equal(audited?.subject, world.logs('otp.sent').at(-1)?.subject)
  })

  test('nothing late, repeated or out of order changes it back', async () => {
    const { browser } = await openCodePage(world, 'alice')
    const audited = world.logs('otp.delivered').length
    for (const status of ['delivered', 'sent', 'delivered', 'queued', 'undelivered', 'failed']) {
      assert.equal(await say(status, 30003), 204)
      assertSays(await reload(world, browser), 'otp.notice.delivered')
    }
    assert.equal(world.logs('otp.delivered').length, audited + 1)
    assert.ok(resendIn(await reload(world, browser)) > 0)
  })

  for (const [code, reason, [wayOn], operator] of UNDELIVERED) {
    test(`${code ?? 'no code'}: why, what to do, and sending again at once`, async () => {
      const { browser, page } = await openCodePage(world, 'alice')
      assert.ok(resendIn(page) > 0)
      const errors = world.logs().filter(({ level }) => level === 'error').length
      const audited = world.logs('otp.undelivered').length
      assert.equal(await say('undelivered', code), 204)
      assert.equal(await say('undelivered', code), 204)
      const failed = await reload(world, browser)
      assertSays(failed, `otp.notice.undelivered.${reason}`)
      if (wayOn !== undefined) assertSays(failed, `otp.notice.undelivered-way.${wayOn}`)
      assert.match(failed.text(), /Reference for support/)
      assert.ok(hasField(failed))
      assert.equal(resendIn(failed), 0)
      assert.equal(world.logs('otp.undelivered').length, audited + 1)
      assert.equal(world.logs('otp.undelivered').at(-1)?.error_code, code)
      assert.equal(world.logs('otp.undelivered').at(-1)?.reason, reason)
      assert.equal(
        world.logs().filter(({ level }) => level === 'error').length - errors,
        operator ? 1 : 0,
      )

      world.turnClock(SECOND)
      assert.equal((await pressSend(world, browser)).status, 303)
      assert.equal(sent(), 2)
      assertSays(await reload(world, browser), 'otp.notice.resent')
      assert.equal((await pressSend(world, browser)).status, 429)
      assert.equal((await typeCode(world, browser, world.codeFor(ALICE))).status, 303)
    })
  }

  test('of a number that gets no texts: a call comes first, and at once', async () => {
    const { browser, page } = await openCodePage(world, 'alice')
    const ways = (of: Page) => [...of.text().matchAll(/action="\/_stepgate\/otp\/(\w+)"/g)]
    const order = (of: Page) => ways(of).map(([, way]) => way)
    assert.deepEqual(order(page), ['resend', 'call'])
    await say('undelivered', 30006)
    assert.deepEqual(order(await reload(world, browser)), ['call', 'resend'])
    const call = new URL('/_stepgate/otp/call', world.url)
    assert.equal((await browser.post(call, { return_to: '/whoami' })).status, 303)
    assert.equal(world.messages(ALICE)[0]?.channel, 'call')
    assertSays(await reload(world, browser), 'otp.notice.calling')
  })

  test('of a call: that it is over, or why nobody heard it, and calling again at once', async () => {
    const { browser } = await openCodePage(world, 'alice')
    world.turnClock(30 * SECOND)
    const call = () =>
      browser.post(new URL('/_stepgate/otp/call', world.url), { return_to: '/whoami' })
    const kindOf = async () => (await (await statusOf(world, browser)).json()).kind
    for (const [status, reason, wayOn] of [
      ['busy', 'not_answered', undefined],
      ['no-answer', 'not_answered', undefined],
      ['failed', 'not_connected', 'text'],
    ] as const) {
      assert.equal((await call()).status, 303)
      const calling = await reload(world, browser)
      assertSays(calling, 'otp.notice.calling')
      assert.match(calling.text(), /data-delivery="sending"/)
      assert.equal((await call()).status, 429)
      assert.equal(await say('ringing'), 204)
      assert.equal(await kindOf(), 'sending')
      assert.equal(await say(status), 204)
      assert.equal(await say('completed'), 204)
      assert.equal(await kindOf(), 'failed')
      const failed = await reload(world, browser)
      assertSays(failed, `otp.notice.undelivered.${reason}`)
      if (wayOn !== undefined) assertSays(failed, `otp.notice.undelivered-way.${wayOn}`)
      const { channel, reason: audited } = world.logs('otp.undelivered').at(-1) ?? {}
      assert.deepEqual([channel, audited], ['call', reason])
    }
    assert.equal((await call()).status, 303)
    assert.equal(await say('completed'), 204)
    assertSays(await reload(world, browser), 'otp.notice.call.delivered')
    assert.equal((await call()).status, 429)
    assert.equal(world.logs('otp.delivered').at(-1)?.channel, 'call')
    assert.equal((await typeCode(world, browser, world.codeFor(ALICE))).status, 303)
  })

  test('ten presses at once after a failed delivery send one message', async () => {
    const { browser } = await openCodePage(world, 'alice')
    await say('failed', 30003)
    await Promise.all(Array.from({ length: 10 }, () => pressSend(world, browser.copy())))
    assert.equal(sent(), 2)
  })

  test('of an earlier message says nothing about the newest', async () => {
    const { browser } = await openCodePage(world, 'alice')
    const first = world.twilio.sent()[0]?.sid
    world.turnClock(30 * SECOND)
    await pressSend(world, browser)
    await world.twilio.report({ status: 'undelivered', errorCode: 30003 }, first)
    const page = await reload(world, browser)
    assertSays(page, 'otp.notice.resent')
    assert.ok(resendIn(page) > 0)
    assert.equal((await pressSend(world, browser)).status, 429)
  })

  test('of a message goes on when nothing could be sent again', async () => {
    const { browser } = await openCodePage(world, 'alice')
    world.turnClock(30 * SECOND)
    world.twilio.setPlan({ next: [{ kind: 'error', code: 21610 }] })
    const page = await browser.followAll(await pressSend(world, browser))
    assertSays(page, 'otp.notice.refused.opted_out')
    assertSays(page, 'otp.notice.code-before')
    assert.match(page.text(), /data-delivery="sending"/)
    const news = async () => {
      const { kind, final } = await (await statusOf(world, browser)).json()
      return [kind, final]
    }
    assert.deepEqual(await news(), ['sending', false])
    assert.equal(await say('delivered'), 204)
    assert.deepEqual(await news(), ['delivered', true])
    world.turnClock(10 * SECOND)
    assert.equal((await typeCode(world, browser, world.codeFor(ALICE))).status, 303)
    assert.equal(world.logs('otp.verified').at(-1)?.seconds_since_send, 40)
  })

  test('proves nothing: the code has still to be typed, and wrong ones still count', async () => {
    const { browser } = await openCodePage(world, 'alice')
    await say('delivered')
    assert.equal(await acrAt(world, browser), 302)
    await say('undelivered', 30003)
    const wrong = await typeCode(world, browser, wrongCode(world.codeFor(ALICE)))
    assertSays(wrong, 'otp.notice.wrong')
    await say('undelivered', 30003)
    assert.equal(world.logs('otp.wrong').at(-1)?.attempts_left, 4)
    const again = await typeCode(world, browser, wrongCode(world.codeFor(ALICE)))
    assertSays(again, 'otp.notice.wrong')
    assert.equal(world.logs('otp.wrong').at(-1)?.attempts_left, 3)
  })

  test('is ignored once the code was used', async () => {
    const { browser } = await openCodePage(world, 'alice')
    assert.equal((await typeCode(world, browser, world.codeFor(ALICE))).status, 303)
    const before = events().length
    assert.equal(await say('delivered'), 204)
    assert.equal(await say('undelivered', 30007), 204)
    assert.deepEqual(events().slice(before), [])
  })

  test('counts only with the signature of the account for the public URL', async () => {
    const { browser } = await openCodePage(world, 'alice')
    const sid = world.twilio.sent()[0]?.sid ?? ''
    const form = new URLSearchParams({ MessageSid: sid, MessageStatus: 'delivered' })
    const evil = `http://evil.example${STATUS}`
    const denied = world.logs('request.denied').length
    const forgeries = [
      await postStatus(world, form),
      await postStatus(world, form, { token: 'another-token' }),
      await postStatus(world, form, { token: '' }),
      await postStatus(
        world,
        form,
        { token: TOKEN, url: evil },
        { 'x-forwarded-host': 'evil.example' },
      ),
      await postStatus(world, `${form}&ErrorCode=30003`, {}, { 'x-twilio-signature': 'AAAA' }),
      await postStatus(world, '', {}),
    ]
    for (const answer of forgeries) {
      assert.equal(answer.status, 403)
      assert.deepEqual(await answer.json(), { error: 'forbidden' })
    }
    const lines = world.logs('request.denied').slice(denied)
    assert.equal(lines.length, forgeries.length)
    for (const { reason } of lines) assert.equal(reason, 'callback_signature')
    assertSays(await reload(world, browser), 'otp.notice.sent')

    const good = await postStatus(world, form, { token: TOKEN }, { origin: 'https://evil.example' })
    assert.equal(good.status, 204)
    assertSays(await reload(world, browser), 'otp.notice.delivered')
  })

  test('of an unknown message, of a call, of nonsense: taken, and nothing comes of it', async () => {
    const before = events().length
    for (const form of [
      `MessageSid=SM${'9'.repeat(32)}&MessageStatus=delivered`,
      `MessageSid=CA${'9'.repeat(32)}&MessageStatus=delivered`,
      `CallSid=CA${'9'.repeat(32)}&CallStatus=completed`,
      `CallSid=SM${'9'.repeat(32)}&CallStatus=completed`,
      'MessageSid=&MessageStatus=delivered',
      'MessageStatus=constructor',
      'x=y',
    ]) {
      assert.equal((await postStatus(world, form, { token: TOKEN })).status, 204, form)
    }
    assert.deepEqual(events().slice(before), [])
  })

  test('has an end: a large form is refused before anybody looks at it', async () => {
    const form = `MessageSid=${'9'.repeat(20_000)}`
    assert.equal((await postStatus(world, form, { token: TOKEN })).status, 413)
    assert.equal((await fetch(new URL(STATUS, world.url))).status, 405)
  })

  test('is told to programs of the session, and only of its own code', async () => {
    const { browser } = await openCodePage(world, 'alice')
    const news = async (of = browser) => (await statusOf(world, of)).json()
    assert.deepEqual(await news(), { kind: 'sending', final: false })
    await say('sent')
    assert.equal((await news()).kind, 'sent')
    await say('undelivered', 30006)
    const { kind, final, text } = await news()
    assert.deepEqual([kind, final, text.length], ['failed', true, 2])
    assert.doesNotMatch(JSON.stringify(await news()), /\d{2,}/)

    const stranger = await signIn(world, 'bob')
    assert.deepEqual(await news(stranger.browser), { kind: 'over', final: true })
    const nobody = await (await fetch(new URL('/_stepgate/otp/status', world.url))).json()
    assert.deepEqual(nobody, { error: 'sign_in_required' })
    assert.equal((await fetch(new URL('/_stepgate/otp/events', world.url))).status, 401)
    assert.equal(sent(), 1)

    await typeCode(world, browser, world.codeFor(ALICE))
    assert.deepEqual(await news(), { kind: 'over', final: true })
  })

  test('comes as events while the page is open, and they end with the last', async () => {
    const { browser } = await openCodePage(world, 'alice')
    const events = await openEvents(world, browser)
    assert.match(events.answer.headers.get('content-type') ?? '', /^text\/event-stream/)
    assert.equal(events.answer.headers.get('cache-control'), 'no-store')
    assert.deepEqual(await events.next(), { kind: 'sending', final: false })
    await say('sent')
    assert.equal((await events.next())?.kind, 'sent')
    await say('queued')
    await say('delivered')
    const last = await events.next()
    assert.deepEqual([last?.kind, last?.final], ['delivered', true])
    assert.equal(await events.next(), undefined)
  })

  test('events end with the code, with the session, and there are few at once', async () => {
    const { browser } = await openCodePage(world, 'alice')
    // A look at the headers alone takes no room.
    const headers = { cookie: `stepgate=${browser.cookies(world.url).stepgate}` }
    const eventsUrl = new URL('/_stepgate/otp/events', world.url)
    for (let n = 0; n < 3; n++) {
      await until(async () => (await fetch(eventsUrl, { method: 'HEAD', headers })).ok)
    }
    const [first, second] = [await openEvents(world, browser), await openEvents(world, browser)]
    assert.equal((await openEvents(world, browser)).answer.status, 429)
    for (const events of [first, second]) assert.equal((await events.next())?.kind, 'sending')
    first.close()
    let third = await openEvents(world, browser)
    while (third.answer.status === 429) third = await openEvents(world, browser)
    assert.equal((await third.next())?.kind, 'sending')
    await typeCode(world, browser.copy(), world.codeFor(ALICE))
    for (const events of [second, third]) {
      assert.deepEqual(await events.next(), { kind: 'over', final: true })
      assert.equal(await events.next(), undefined)
    }
    assert.equal((await openEvents(world, browser)).answer.status, 401)

    // Only the newest code is followed, however often somebody signs in.
    const older = await openCodePage(world, 'alice')
    const olderEvents = await openEvents(world, older.browser)
    assert.equal((await olderEvents.next())?.kind, 'sending')
    const other = await openCodePage(world, 'alice')
    assert.deepEqual(await olderEvents.next(), { kind: 'over', final: true })
    const events = await openEvents(world, other.browser)
    assert.equal((await events.next())?.kind, 'sending')
    await other.browser.post(new URL('/_stepgate/sign-out', world.url), {})
    assert.deepEqual(await events.next(), { kind: 'over', final: true })
  })
})

describe('where nobody can be called', () => {
  test('what did not arrive has another way on', async () => {
    const world = await startStill({ env: { STEPGATE_TWILIO_VOICE_FROM: 'off' } })
    try {
      for (const [errorCode, reason, [, wayOn]] of UNDELIVERED) {
        world.turnClock(DAY + 1)
        const { browser } = await openCodePage(world, 'alice')
        await world.twilio.report({ status: 'failed', ...(errorCode && { errorCode }) })
        const failed = await reload(world, browser)
        assertSays(failed, `otp.notice.undelivered.${reason}`)
        if (wayOn !== undefined) assertSays(failed, `otp.notice.undelivered-way.${wayOn}`)
        assert.doesNotMatch(failed.text(), /call you/)
      }
    } finally {
      await world.close()
    }
  })
})

describe('a report that comes before Twilio has answered', () => {
  test('is not lost, and is in the log as any other', async () => {
    const id = `SM${'ab'.repeat(16)}`
    const answer = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    const world = await startStill({
      overrides: {
        sender: {
          async send() {
            asked.resolve()
            await answer.promise
            return { kind: 'sent', id }
          },
          call: async () => ({ kind: 'failed', reason: 'unavailable' }),
          check: async () => ({ kind: 'ok', detail: '' }),
        },
      },
    })
    try {
      const { browser, page: start } = await signIn(world, 'alice')
      const opened = browser.followAll(start)
      await asked.promise
      const form = new URLSearchParams({ MessageSid: id, MessageStatus: 'delivered' })
      assert.equal((await postStatus(world, form, { token: TOKEN })).status, 204)
      answer.resolve()
      await opened
      world.turnClock(2 * MINUTE)
      assertSays(await reload(world, browser), 'otp.notice.delivered')
      const [end, ...others] = world.logs().filter(({ event }) => event === 'otp.delivered')
      assert.deepEqual([end?.message, end?.channel, others], [id, 'sms', []])
    } finally {
      await world.close()
    }
  })
})

describe('a stepgate that stops', () => {
  test('ends its events at once', async () => {
    const world = await startStill()
    const { browser } = await openCodePage(world, 'alice')
    const events = await openEvents(world, browser)
    assert.equal((await events.next())?.kind, 'sending')
    const closed = world.close()
    assert.equal(await events.next(), undefined)
    await closed
  })
})

describe('without an auth token', () => {
  test('Twilio is not asked to report, and what is posted is not looked at', async () => {
    const world = await startStill({
      env: {
        STEPGATE_TWILIO_TOKEN: undefined,
        STEPGATE_TWILIO_API_KEY_SID: `SK${'0c'.repeat(16)}`,
        STEPGATE_TWILIO_API_KEY_SECRET: 'canary-api-key-secret-72b1',
      },
      overrides: {
        sender: {
          send: async () => ({ kind: 'sent', id: `SM${'1'.repeat(32)}` }),
          call: async () => ({ kind: 'failed', reason: 'unavailable' }),
          check: async () => ({ kind: 'ok', detail: '' }),
        },
      },
    })
    try {
      const { page } = await openCodePage(world, 'alice')
      assertSays(page, 'otp.notice.sent')
      assert.doesNotMatch(page.text(), /delivery\.js|data-delivery/)
      assert.equal((await postStatus(world, 'x=y', { token: '' })).status, 404)
    } finally {
      await world.close()
    }
  })
})
