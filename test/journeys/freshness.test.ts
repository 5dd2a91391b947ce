import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { type Client, createClient, type Page } from '../support/cookie-jar.ts'
import { type EvilProvider, startEvilProvider } from '../support/evil-provider.ts'
import { submitForm } from '../support/form.ts'
import { testClient } from '../support/relying-party.ts'
import { ALICE, startWorld, type World } from '../support/world.ts'
import { acrOf, at, reached, signIn, wayOn } from './steps.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const RULES = `
  basic /reports signed_in_within=15m
  twilio_sms /pay signed_in_within=15m max_age=5m
  twilio_sms /code
  basic /**`

describe('how fresh a sign-in and a code have to be', () => {
  let evil: EvilProvider
  let world: World
  let browser: Client
  /** What the provider was asked with on the way, one `max_age prompt` a visit. */
  let visits: string[]
  /** When the person last typed her password at the provider, by stepgate's clock; it may not say. */
  let typed: number | undefined
  /** Whether the provider asks again for `max_age` too, or for `prompt` alone, or never. */
  let heeds: 'both' | 'prompt' | 'nothing'

  before(async () => {
    evil = await startEvilProvider({
      clientId: testClient.client_id,
      clientSecret: testClient.client_secret,
    })
    world = await startWorld({ issuer: evil.issuer, env: { STEPGATE_RULES: RULES } })
    evil.behave({
      alterIdToken(claims) {
        const time = typed === undefined ? undefined : Math.floor(typed / SECOND)
        Object.assign(claims, { auth_time: time })
        Object.assign(claims, { phone_number: ALICE, phone_number_verified: true })
      },
    })
  })
  after(async () => {
    await world?.close()
    await evil?.close()
  })
  beforeEach(() => {
    browser = createClient()
    visits = []
    typed = world.now()
    heeds = 'both'
  })

  /** Goes on to where a redirect leads, by way of the provider as often as it is asked. */
  async function follow(page: Page): Promise<Page> {
    if (page.location === undefined) return page
    const { origin, searchParams } = page.location
    if (origin === evil.issuer.origin) {
      const [maxAge, prompt] = ['max_age', 'prompt'].map((name) => searchParams.get(name))
      visits.push(`${maxAge ?? '-'} ${prompt ?? '-'}`)
      const isOld = maxAge !== null && world.now() - (typed ?? 0) > Number(maxAge) * SECOND
      const asks = (heeds === 'both' && isOld) || (heeds !== 'nothing' && prompt === 'login')
      if (asks && typed !== undefined) typed = world.now()
    }
    return follow(await browser.follow(page))
  }
  const open = async (path: string) => follow(await browser.get(at(world, path)))
  const typeCode = async (page: Page) =>
    follow(await submitForm(browser, page, { code: world.codeFor(ALICE) }))
  const isShown = (page: Page, path: string) =>
    assert.deepEqual([page.url.href, page.status], [at(world, path).href, 404])

  test('a form that a rule finds too old a sign-in for is kept meanwhile, or says so', async () => {
    isShown(await open('/reports'), '/reports')
    world.turnClock(17 * MINUTE)
    visits = []
    const headers = { referer: at(world, '/reports').href }
    const large = await browser.post(at(world, '/reports'), Buffer.alloc(1_048_577), { headers })
    assert.equal(large.status, 413)
    const way = '"/_stepgate/step-up?return_to=%2Freports&amp;max_age=900&amp;acr=basic"'
    assert.ok(large.text().includes(way), large.text())

    const page = await follow(await browser.post(at(world, '/reports'), { note: 'typed' }))
    assert.equal(page.url.pathname, '/_stepgate/resume')
    // Once more too old by then: the page asks the provider as the rule does.
    world.turnClock(17 * MINUTE)
    const later = await follow(await browser.get(page.url))
    assert.equal(later.url.href, page.url.href)
    assert.deepEqual(visits, ['900 -', '900 -'])
    const before = reached(world)
    isShown(await submitForm(browser, later), '/reports')
    assert.equal(world.application.requests().at(-1)?.body, 'note=typed')
    assert.equal(reached(world), before + 1)
  })

  test('a window whose sign-in is too old keeps its fragment by a page, and is asked the same', async () => {
    isShown(await open('/reports'), '/reports')
    world.turnClock(17 * MINUTE)
    visits = []
    const asked = { headers: { 'accept-encoding': 'gzip' } }
    const page = await browser.get(at(world, '/reports?x=1'), asked)
    assert.equal(page.status, 200)
    const links = /href="([^"]*)" data-go data-keep="([^"]*)"/.exec(page.text())?.slice(1)
    const [straight, kept] = links?.map((link) => link.replaceAll('&amp;', '&')) ?? []
    assert.ok(straight && kept)
    assert.equal(straight, '/_stepgate/step-up?return_to=%2Freports%3Fx%3D1&max_age=900&acr=basic')
    isShown(await open(straight), '/reports?x=1')
    world.turnClock(17 * MINUTE)
    const back = await open(kept)
    assert.equal(back.url.pathname, '/_stepgate/going-on')
    assert.deepEqual(visits, ['900 -', '900 -'])
    assert.match(back.text(), /href="\/reports\?x=1" data-go/)
  })

  test('a rule asks the provider from the first sign-in on, and again when it has become too old', async () => {
    isShown(await open('/reports'), '/reports')
    assert.deepEqual(visits.splice(0), ['900 -'])
    world.turnClock(15 * MINUTE)
    isShown(await open('/reports'), '/reports')
    assert.deepEqual(visits, [])
    world.turnClock(2 * MINUTE)
    isShown(await open('/else'), '/else')
    assert.deepEqual(visits, [])
    isShown(await open('/reports'), '/reports')
    assert.deepEqual(visits, ['900 -'])
  })

  test('who has signed in elsewhere in the meantime is not asked again', async () => {
    await open('/reports')
    world.turnClock(20 * MINUTE)
    typed = world.now() - 5 * MINUTE
    const then = typed
    isShown(await open('/reports'), '/reports')
    assert.deepEqual([visits, typed], [['900 -', '900 -'], then])
  })

  test('a provider that knows prompt alone is asked by it, once', async () => {
    heeds = 'prompt'
    await open('/else')
    world.turnClock(20 * MINUTE)
    isShown(await open('/reports'), '/reports')
    assert.deepEqual(visits, ['- -', '900 -', '900 login'])
    assert.equal(world.logs('sign_in.failed').length, 0)
  })

  test('a provider that asks nobody ends at a page that says so, and not in a circle', async () => {
    heeds = 'nothing'
    await open('/else')
    for (const saysTime of [true, false]) {
      if (!saysTime) typed = undefined
      world.turnClock(20 * MINUTE)
      visits = []
      const before = reached(world)
      const failures = world.logs('sign_in.failed').length
      const page = await open('/reports')
      assert.deepEqual([page.status, page.url.pathname], [403, '/_stepgate/callback'])
      assert.match(page.text(), /within the last 15 minutes/)
      assert.deepEqual(visits, ['900 -', '900 login'])
      assert.equal(reached(world), before)
      const failed = world.logs('sign_in.failed').slice(failures)
      assert.deepEqual(
        failed.map(({ reason, max_age: maxAge }) => [reason, maxAge]),
        [['not-fresh', 900]],
      )
      // Nothing is lost: the session of before goes on, and the way on is the same again.
      isShown(await open('/else'), '/else')
      heeds = saysTime ? 'both' : 'nothing'
      const again = await follow(await browser.get(wayOn(page)))
      if (saysTime) isShown(again, '/reports')
      else assert.equal(again.status, 403)
      heeds = 'nothing'
    }
  })

  test('a code that was typed stays when only the sign-in has to be fresh, and the other way round', async () => {
    isShown(await typeCode(await open('/pay')), '/pay')
    assert.deepEqual(visits.splice(0), ['900 -'])
    world.turnClock(4 * MINUTE)
    isShown(await open('/pay'), '/pay')
    world.turnClock(2 * MINUTE)
    isShown(await typeCode(await open('/pay')), '/pay')
    assert.deepEqual(visits, [])
    world.turnClock(11 * MINUTE)
    isShown(await open('/reports'), '/reports')
    assert.deepEqual(visits, ['900 -'])
    assert.equal(await acrOf(world, browser), 'twilio_sms')
    isShown(await open('/code'), '/code')
    const headers = world.application.requests().at(-1)?.headers ?? {}
    assert.equal(Number(headers['x-stepgate-auth-time']), Math.floor(world.now() / SECOND))
    const age = world.now() / SECOND - Number(headers['x-stepgate-otp-time'])
    assert.ok(age >= 660 && age < 720, String(age))
    // Its whole life is that of the sign-in that it was typed after.
    for (let half = 0; half < 23; half++) {
      world.turnClock(30 * MINUTE)
      await browser.get(at(world, '/else'))
    }
    world.turnClock(30 * MINUTE)
    assert.equal(await acrOf(world, browser), undefined)
  })

  test('who has signed out everywhere is asked by the provider on each device, once', async () => {
    for (const [does, says, seen] of [
      ['both', true, ['- -', '- login']],
      ['nothing', true, ['- -', '- login']],
      ['both', false, ['- -']],
    ] as const) {
      heeds = does
      if (!says) typed = undefined
      const other = createClient()
      browser = other
      await open('/else')
      const here = createClient()
      browser = here
      await open('/else')
      world.turnClock(MINUTE)
      const form = { everywhere: 'yes' }
      await here.post(at(world, '/_stepgate/sign-out'), form, { from: world.url })
      browser = other
      visits = []
      isShown(await open('/else'), '/else')
      assert.deepEqual(visits, seen)
      isShown(await open('/else'), '/else')
      assert.deepEqual(visits, seen)
    }
  })

  test("an application's link counts from the code, and with acr=basic from the sign-in", async () => {
    const link = (acr: string, maxAge: number) =>
      open(`/_stepgate/step-up?acr=${acr}&max_age=${maxAge}&return_to=/else`)
    isShown(await typeCode(await link('twilio_sms', 600)), '/else')
    assert.deepEqual(visits.splice(0), ['- -'])
    world.turnClock(9 * MINUTE)
    isShown(await link('twilio_sms', 600), '/else')
    world.turnClock(2 * MINUTE)
    const asked = await link('twilio_sms', 600)
    assert.equal(asked.url.pathname, '/_stepgate/otp')
    isShown(await typeCode(asked), '/else')
    assert.deepEqual(visits, [])

    isShown(await link('basic', 660), '/else')
    assert.deepEqual(visits, [])
    isShown(await link('basic', 0), '/else')
    isShown(await link('basic', 0), '/else')
    assert.deepEqual(visits, ['0 -'])
  })
})

test('a certified provider asks again when it is told to, and says when', async (t) => {
  const world = await startWorld({ env: { STEPGATE_RULES: RULES } })
  t.after(() => world.close())
  const browser = createClient()
  const page = await signIn(world, browser, { path: '/reports' })
  assert.equal(page.status, 404)
  world.turnClock(2 * MINUTE)
  const link = '/_stepgate/step-up?acr=basic&max_age=90&return_to=/reports'
  assert.equal((await browser.get(at(world, link))).location?.pathname, '/reports')
  world.turnClock(MINUTE)
  const asked = await browser.get(at(world, link))
  assert.equal(asked.location?.searchParams.get('max_age'), '90')
  // Its own clock has not been turned: for it the sign-in is fresh, and only `prompt` makes it ask.
  const silent = await browser.follow(asked)
  const again = await browser.followAll(
    silent,
    ({ origin }) => origin === world.provider.issuer.origin,
  )
  assert.equal(again.location?.searchParams.get('prompt'), 'login')
  assert.match((await browser.followAll(again)).text(), /name="password"/)
})
