import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { createClient } from '../support/cookie-jar.ts'
import { submitForm } from '../support/form.ts'
import { ALICE, startWorld, type World } from '../support/world.ts'
import { acrOf, at, SESSION, signIn } from './steps.ts'

const MINUTES_10 = 10 * 60_000

describe('a slow response of the application', { timeout: 20_000 }, () => {
  const waiting: ServerResponse[] = []
  let arrived: () => void = () => {}
  const application = createServer((request, response) => {
    if (request.url === '/basic/slow') {
      waiting.push(response)
      arrived()
    } else response.end('quick')
  })
  let world: World
  before(async () => {
    await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve))
    const { port } = application.address() as AddressInfo
    world = await startWorld({
      env: {
        STEPGATE_UPSTREAM: `http://127.0.0.1:${port}`,
        STEPGATE_RULES: 'basic /basic/**',
      },
    })
  })
  after(async () => {
    await world.close()
    application.closeAllConnections()
    application.close()
  })

  function asked(): Promise<void> {
    return new Promise((resolve) => {
      arrived = resolve
    })
  }

  it('prolongs the session with its cookie', async () => {
    const browser = createClient()
    await signIn(world, browser, { path: '/basic/quick' })
    world.turnClock(MINUTES_10)
    const before = browser.cookies(world.url)[SESSION]
    const came = asked()
    const slow = browser.get(at(world, '/basic/slow'))
    await came
    waiting.pop()?.end('slow')
    assert.equal((await slow).headers.getSetCookie().length, 1)
    assert.notEqual(browser.cookies(world.url)[SESSION], before)
  })

  it('that began before a step-up does not bring back the session of before', async () => {
    const browser = createClient()
    await signIn(world, browser, { path: '/basic/quick' })
    world.turnClock(MINUTES_10)
    const came = asked()
    const slow = browser.get(at(world, '/basic/slow'))
    await came

    const otp = await browser.followAll(await browser.get(at(world, '/')))
    await submitForm(browser, otp, { code: world.codeFor(ALICE) })
    assert.equal(await acrOf(world, browser), 'twilio_sms')

    waiting.pop()?.end('slow')
    const page = await slow
    assert.equal(page.text(), 'slow')
    assert.deepEqual(page.headers.getSetCookie(), [])
    assert.equal(await acrOf(world, browser), 'twilio_sms')
  })
})
