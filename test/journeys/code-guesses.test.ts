import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  acrAt,
  assertSays,
  comparedIn,
  DAY,
  hasField,
  openCodePage,
  overWorlds,
  reload,
  typeCode,
  wrongCode,
} from '../support/code-page.ts'
import type { Client } from '../support/cookie-jar.ts'
import { ALICE } from '../support/world.ts'

overWorlds('guessing a code', (world) => {
  test('200 at once: at most five are compared, and then even the right code is refused', async () => {
    const { browser } = await openCodePage(world(), 'alice')
    const code = world().codeFor(ALICE)
    const guesses = Array.from({ length: 200 }, () => typeCode(world(), browser, wrongCode(code)))
    const answers = await Promise.all(guesses)
    assert.equal(comparedIn(world()), 5)
    assert.equal(world().logs('otp.verified').length, 0)
    const statuses = Map.groupBy(answers, ({ status }) => status)
    assert.deepEqual([...statuses.keys()].sort(), [410, 422])
    assert.equal(statuses.get(422)?.length, 5)

    const right = await typeCode(world(), browser, code)
    assert.equal(right.status, 410)
    assertSays(right, 'otp.notice.used-up')
    assert.equal(hasField(right), false)
    assertSays(await reload(world(), browser), 'otp.notice.used-up')
    assert.notEqual(await acrAt(world(), browser), 'twilio_sms')
    assert.equal(comparedIn(world()), 5)
  })

  test('200 at once from twelve sessions of one person: at most five are compared', async () => {
    world().turnClock(DAY + 1)
    const browsers: Client[] = []
    for (let n = 0; n < 12; n++) browsers.push((await openCodePage(world(), 'alice')).browser)
    const code = world().codeFor(ALICE)
    const before = comparedIn(world())
    const guesses = Array.from({ length: 200 }, (_, n) => {
      const browser = browsers[n % browsers.length]
      assert.ok(browser)
      return typeCode(world(), browser, wrongCode(code))
    })
    await Promise.all(guesses)
    assert.ok(comparedIn(world()) - before <= 5)
    assert.equal(world().logs('otp.verified').length, 0)
  })

  test('the right code fifty times at once: exactly one is let through', async () => {
    world().turnClock(DAY + 1)
    const { browser } = await openCodePage(world(), 'alice')
    const code = world().codeFor(ALICE)
    const tabs = Array.from({ length: 50 }, () => browser.copy())
    const answers = await Promise.all(tabs.map((tab) => typeCode(world(), tab, code)))
    assert.equal(world().logs('otp.verified').length, 1)
    const through = []
    for (const tab of tabs) if ((await acrAt(world(), tab)) === 'twilio_sms') through.push(tab)
    assert.equal(through.length, 1)
    assert.ok(answers.every(({ status }) => status < 500))
  })
})
