import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createClient } from '../support/cookie-jar.ts'
import { ALICE, startWorld, type World } from '../support/world.ts'
import { at, signIn, signInWithCode } from './steps.ts'

describe('/_stepgate/session', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())

  it('says who is signed in, with which acr and until when', async () => {
    const browser = createClient()
    await signIn(world, browser)
    const page = await browser.get(at(world, '/_stepgate/session'))
    assert.equal(page.status, 200)
    assert.equal(page.headers.get('content-type'), 'application/json; charset=utf-8')
    assert.equal(page.headers.get('cache-control'), 'no-store')
    assert.equal(page.headers.get('x-content-type-options'), 'nosniff')
    assert.equal(page.headers.get('access-control-allow-origin'), null)
    const { auth_time: authTime, exp, expires_at: expiresAt, ...rest } = page.json()
    assert.deepEqual(rest, {
      sub: '5f1d7a52-8c0e-4b7e-9d35-2f6a1c3be801',
      preferred_username: 'alice',
      email: 'alice@example.com',
      name: 'Alice Adams',
      groups: ['hr', 'staff'],
      acr: 'basic',
      amr: ['pwd'],
    })
    assert.ok(Math.abs(authTime * 1000 - world.now()) < 60_000)
    assert.equal(Math.floor(Date.parse(expiresAt) / 1000), exp)
  })

  it('knows the code, and never tells a number, an id or what holds the session', async () => {
    const browser = createClient()
    await signInWithCode(world, browser)
    const page = await browser.get(at(world, '/_stepgate/session'))
    const { acr, amr, otp_time: otpTime } = page.json()
    assert.equal(acr, 'twilio_sms')
    assert.deepEqual(amr, ['pwd', 'sms', 'otp', 'mfa'])
    assert.ok(Math.abs(otpTime * 1000 - world.now()) < 60_000)
    assert.equal(page.text().includes(ALICE.slice(-6)), false)
    assert.doesNotMatch(page.text(), /family|seenAt|"id"/)
  })

  it('says 401 to everybody else', async () => {
    const page = await createClient().get(at(world, '/_stepgate/session'))
    assert.equal(page.status, 401)
    assert.equal(page.json().error, 'sign_in_required')
    assert.equal(page.headers.get('www-authenticate'), 'Bearer realm="stepgate"')
    assert.equal(page.headers.get('cache-control'), 'no-store')
  })
})
