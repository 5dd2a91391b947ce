import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Store, StoreUnavailableError } from '../../proxy/store/store.ts'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'
import {
  MINUTE,
  OTP,
  openCodePage,
  pressSend,
  reload,
  SECOND,
  startStill,
  typeCode,
  wrongCode,
} from '../support/code-page.ts'
import { ALICE, BOB } from '../support/world.ts'

describe('what the logs hold after everything that can happen to a code', () => {
  test('no code, no typed guess, no number, no token, no cookie', async () => {
    const store = createMemoryStore()
    let broken = false
    const breaking: Store = {
      ...store,
      async strike(...args) {
        if (broken) throw new StoreUnavailableError(new Error(`UPDATE ${args[0]} ${ALICE}`))
        return store.strike(...args)
      },
    }
    const world = await startStill({ overrides: { store: breaking } })
    const secrets = new Set<string>()
    const note = (...values: (string | undefined)[]) => {
      for (const value of values) if (value) secrets.add(value)
    }
    try {
      const message = `${ALICE} 123456 is not reachable`
      world.twilio.script(
        { kind: 'error', status: 400, code: 21614, message },
        { kind: 'reset' },
        { kind: 'raw', status: 201, body: JSON.stringify({ to: ALICE, body: message }) },
        { kind: 'error', status: 401, code: 20003, message },
      )
      const { browser } = await openCodePage(world, 'alice')
      for (let n = 0; n < 4; n++) await pressSend(world, browser)
      world.turnClock(30 * SECOND)
      await pressSend(world, browser)
      const code = world.codeFor(ALICE)
      const guess = wrongCode(code)
      note(...Object.values(browser.cookies(world.url)))
      await typeCode(world, browser, guess)
      await typeCode(world, browser, `${guess}99`)
      broken = true
      await typeCode(world, browser, code)
      broken = false
      world.turnClock(5 * MINUTE)
      await typeCode(world, browser, code)
      await pressSend(world, browser)
      const second = world.codeFor(ALICE)
      for (let n = 0; n < 5; n++) await typeCode(world, browser, wrongCode(second))
      await typeCode(world, browser, second)
      world.turnClock(5 * MINUTE)
      await pressSend(world, browser)
      const third = world.codeFor(ALICE)
      await typeCode(world, browser, third)
      note(...Object.values(browser.cookies(world.url)))

      const bob = await openCodePage(world, 'bob')
      const form = { number: BOB[0], phone: BOB[1], code: third }
      await bob.browser.post(new URL(`${OTP}/number`, world.url), form)
      const [id] = [...bob.page.text().matchAll(/name="number" value="([^"]+)"/g)].map((m) => m[1])
      await bob.browser.post(new URL(`${OTP}/number`, world.url), { number: id ?? '' })
      await reload(world, bob.browser)
      note(code, guess, `${guess}99`, second, wrongCode(second), third, world.codeFor(BOB[0]))
      note(...[ALICE, ...BOB].flatMap((number) => [number.slice(1), number.slice(3)]))
      note('canary-twilio-token-51b0c8e2')

      const events = new Set(world.logs().map(({ event }) => event))
      for (const event of [
        'otp.sent',
        'otp.send_failed',
        'otp.wrong',
        'otp.expired',
        'otp.verified',
      ]) {
        assert.ok(events.has(event), `the journey must have seen ${event}`)
      }
      const lines = world.logs().map((line) => JSON.stringify(line))
      for (const secret of secrets) {
        const whole = new RegExp(`(?<![0-9A-Za-z])${RegExp.escape(secret)}(?![0-9A-Za-z])`)
        const leaks = lines.filter((line) => whole.test(line))
        assert.deepEqual(leaks, [])
      }
      assert.ok(secrets.size >= 12)
    } finally {
      await world.close()
    }
  })
})
