import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createClient } from '../support/cookie-jar.ts'
import { submitForm } from '../support/form.ts'
import { signInAtProvider } from '../support/sign-in.ts'
import { ALICE, startWorld, type World } from '../support/world.ts'

describe('the way of one person', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())

  test('signs in, gets a code, types it and sees the very page that was asked for', async () => {
    const browser = createClient()
    const page = await signInAtProvider(
      browser,
      await browser.get(new URL('/whoami?from=mail', world.url)),
      'alice',
    )
    const otp = await browser.followAll(page)
    assert.equal(otp.status, 200)
    assert.match(otp.text(), /name="code"/)

    const done = await submitForm(browser, otp, { code: world.codeFor(ALICE) })
    assert.equal(done.status, 303)
    const whoami = await browser.followAll(done)
    assert.equal(whoami.status, 200)
    const seen = whoami.json() as { url: string; headers: Record<string, string> }
    assert.equal(seen.url, '/whoami?from=mail')
    assert.equal(seen.headers['x-forwarded-user'], 'alice')
    assert.equal(seen.headers['x-stepgate-acr'], 'twilio_sms')
    assert.equal(world.messages(ALICE).length, 1)
  })
})
