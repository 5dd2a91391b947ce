import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type Client, createClient } from '../support/cookie-jar.ts'
import { startWorld, type World } from '../support/world.ts'
import { acrOf, at, SESSION, signIn, signInWithCode } from './steps.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

describe('the life of a session', () => {
  let world: World
  let browser: Client
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())
  beforeEach(async () => {
    world.turnClock(24 * HOUR)
    browser = createClient()
    await signInWithCode(world, browser)
  })

  async function use(): Promise<number> {
    const { status } = await browser.get(at(world, '/whoami'))
    return status
  }

  it('ends when it was not used for the idle limit, in the cookie of that time too', async () => {
    const kept = browser.copy()
    world.turnClock(HOUR - MINUTE)
    assert.equal(await acrOf(world, kept), 'twilio_sms')
    world.turnClock(MINUTE)
    assert.equal(await acrOf(world, kept), undefined)
    const page = await browser.get(at(world, '/whoami'))
    assert.equal(page.location?.origin, world.provider.issuer.origin)
  })

  it('goes on while it is used, and no longer than its whole life', async () => {
    const cookies = new Set<string | undefined>()
    for (let minutes = 0; minutes < 12 * 60 - 30; minutes += 30) {
      assert.equal(await use(), 200, `after ${minutes} minutes`)
      cookies.add(browser.cookies(world.url)[SESSION])
      world.turnClock(30 * MINUTE)
    }
    assert.equal(cookies.size, 23)
    assert.equal(await use(), 200)
    world.turnClock(30 * MINUTE)
    assert.equal(await use(), 302)
    assert.equal(await acrOf(world, browser), undefined)
  })

  it('writes its cookie again after a tenth of the idle limit, not at each request', async () => {
    const first = browser.cookies(world.url)[SESSION]
    world.turnClock(5 * MINUTE)
    const early = await browser.get(at(world, '/whoami'))
    assert.deepEqual(early.headers.getSetCookie(), [])
    world.turnClock(2 * MINUTE)
    const later = await browser.get(at(world, '/whoami'))
    assert.equal(later.headers.getSetCookie().length, 1)
    assert.notEqual(browser.cookies(world.url)[SESSION], first)
    assert.doesNotMatch(`${later.json().headers.cookie}`, /stepgate/)
  })

  it('tells when it ends, and asking does not prolong it', async () => {
    const session = async () => (await browser.get(at(world, '/_stepgate/session'))).json()
    const now = await session()
    const left = now.exp * 1000 - world.now()
    assert.ok(left > HOUR - MINUTE && left <= HOUR)
    world.turnClock(30 * MINUTE)
    assert.deepEqual(await session(), now)
    await use()
    const used = await session()
    assert.ok(used.exp - now.exp >= 30 * 60)
    for (let times = 0; times < 15; times++) {
      world.turnClock(45 * MINUTE)
      await use()
    }
    const last = await session()
    assert.ok(last.exp * 1000 - world.now() < HOUR)
    assert.ok(last.exp - now.exp <= 11 * 3600)
  })
})

describe('the end of a session', () => {
  let folder: string
  let world: World
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'stepgate-session-'))
    world = await startWorld({ env: { STEPGATE_STORE: `sqlite:${join(folder, 'store.db')}` } })
  })
  after(async () => {
    await world.close()
    rmSync(folder, { recursive: true })
  })

  it('by sign-out holds for every cookie of it at once, and after a restart', async () => {
    const browser = createClient()
    await signInWithCode(world, browser)
    const young = browser.copy()
    world.turnClock(20 * MINUTE)
    await browser.get(at(world, '/whoami'))
    const kept = browser.copy()
    assert.notDeepEqual(kept.cookies(world.url), young.cookies(world.url))
    assert.equal(await acrOf(world, young), 'twilio_sms')

    await browser.get(at(world, '/_stepgate/sign-out'))
    for (const old of [young, kept]) assert.equal(await acrOf(world, old), undefined)
    await world.restart()
    for (const old of [young, kept]) {
      assert.equal(await acrOf(world, old), undefined)
      assert.equal((await old.get(at(world, '/whoami'))).status, 302)
    }
  })

  it('is not a restart', async () => {
    const browser = createClient()
    await signIn(world, browser)
    await world.restart()
    assert.equal(await acrOf(world, browser), 'basic')
    assert.equal((await browser.get(at(world, '/basic'))).status, 200)
  })

  it('by a step-up holds after a restart for the id before', async () => {
    const browser = createClient()
    await signIn(world, browser)
    const before = browser.copy()
    world.turnClock(16 * MINUTE)
    await signInWithCode(world, browser)
    await world.restart()
    assert.equal(await acrOf(world, before), undefined)
    assert.equal(await acrOf(world, browser), 'twilio_sms')
  })
})
