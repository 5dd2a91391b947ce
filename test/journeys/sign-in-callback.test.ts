import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Client, createClient, type Page } from '../support/cookie-jar.ts'
import { callbackFromProvider, cancelAtProvider } from '../support/sign-in.ts'
import { startWorld, type World } from '../support/world.ts'
import { acrOf, at, BROWSER, reached, refreshOf, SESSION, signIn, wayOn } from './steps.ts'

const HOUR = 60 * 60_000

describe('the callback', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())

  /** The callback's address, which the provider has given and nobody has visited. */
  async function callbackOf(browser: Client, path = '/basic', username = 'alice'): Promise<URL> {
    return callbackFromProvider(browser, await browser.get(at(world, path)), username)
  }

  async function assertRefused(browser: Client, page: Page, reason: string): Promise<void> {
    assert.equal(page.status, 400)
    assert.equal(browser.cookies(world.url)[SESSION], undefined)
    assert.deepEqual(page.headers.getSetCookie(), [])
    assert.equal(world.logs('sign_in.failed').at(-1)?.reason, reason)
  }

  it('without a state, or with one that is not ours, is refused and leads to a new sign-in', async () => {
    const asked = reached(world)
    for (const query of ['', '?code=x', '?state=', '?state=x&code=x', '?state=%00%ff&code=y']) {
      const browser = createClient()
      const page = await browser.get(at(world, `/_stepgate/callback${query}`))
      await assertRefused(browser, page, 'no-state')
      assert.equal(wayOn(page).pathname, '/_stepgate/sign-in')
      assert.equal(refreshOf(page), undefined)
    }
    assert.equal(reached(world), asked)
  })

  it('with a state of which one character was changed is refused', async () => {
    const browser = createClient()
    const callback = await callbackOf(browser)
    const state = callback.searchParams.get('state') ?? ''
    for (const place of [9, 40, 120, 400, state.length - 5]) {
      const other = state[place] === 'a' ? 'b' : 'a'
      callback.searchParams.set('state', state.slice(0, place) + other + state.slice(place + 1))
      await assertRefused(browser, await browser.get(callback), 'no-state')
    }
  })

  it('with a state twice is refused', async () => {
    const browser = createClient()
    const callback = await callbackOf(browser)
    callback.searchParams.append('state', 'other')
    await assertRefused(browser, await browser.get(callback), 'invalid')
  })

  it('takes no session for a state, and a state is no session', async () => {
    const browser = createClient()
    await signIn(world, browser)
    const session = browser.cookies(world.url)[SESSION] ?? ''
    const stranger = createClient()
    const as = new URLSearchParams({ state: session, code: 'x' })
    const page = await stranger.get(at(world, `/_stepgate/callback?${as}`))
    await assertRefused(stranger, page, 'no-state')

    const callback = await callbackOf(stranger)
    const state = callback.searchParams.get('state') ?? ''
    stranger.setCookie(world.url, `${SESSION}=${state}; Path=/`)
    assert.equal(await acrOf(world, stranger), undefined)
  })

  it('of an attacker signs nobody in as the attacker (login CSRF)', async () => {
    const attacker = createClient()
    const victim = createClient()
    const planted = await callbackOf(attacker, '/basic?planted', 'bob')
    const page = await victim.get(planted, { from: 'http://evil.test/' })
    await assertRefused(victim, page, 'other-browser')

    // With a sign-in of her own under way it is no different.
    const other = await callbackOf(attacker, '/basic?planted', 'bob')
    await victim.get(at(world, '/basic'))
    const second = await victim.get(other, { from: 'http://evil.test/' })
    await assertRefused(victim, second, 'other-browser')

    // And whoever is signed in stays who she is.
    const third = await callbackOf(attacker, '/basic?planted', 'bob')
    await signIn(world, victim)
    const before = victim.cookies(world.url)
    const last = await victim.get(third, { from: 'http://evil.test/' })
    assert.deepEqual(victim.cookies(world.url), before)
    assert.equal(last.location?.href, at(world, '/basic?planted').href)
    const whoami = await victim.get(at(world, '/_stepgate/session'))
    assert.equal(whoami.json().preferred_username, 'alice')

    // The attacker's own browser, in which it was begun, could have gone on.
    assert.equal((await attacker.get(planted)).status, 303)
  })

  it('starts once more by itself, and not twice, in a browser that keeps no cookie', async () => {
    const browser = createClient()
    const first = await browser.get(await callbackOf(browser, '/basic?a=1'))
    assert.equal(first.status, 303)
    browser.clearCookies()
    const start = await browser.get(at(world, '/basic?a=1'))
    const callback = await callbackFromProvider(browser, start, 'alice')
    browser.clearCookies()
    const page = await browser.get(callback)
    await assertRefused(browser, page, 'other-browser')
    const again = refreshOf(page)
    assert.equal(again?.pathname, '/_stepgate/sign-in')
    assert.equal(again?.searchParams.get('return_to'), '/basic?a=1')

    const restarted = await browser.get(again ?? assert.fail())
    const second = await callbackFromProvider(browser, restarted, 'alice')
    browser.clearCookies()
    const stopped = await browser.get(second)
    await assertRefused(browser, stopped, 'other-browser')
    assert.equal(refreshOf(stopped), undefined)
    assert.ok(wayOn(stopped))
  })

  it('after success goes to the page again, with the session that is there', async () => {
    const browser = createClient()
    const callback = await callbackOf(browser, '/basic?b=2')
    const first = await browser.get(callback)
    assert.equal(first.status, 303)
    const cookies = browser.cookies(world.url)
    assert.equal(cookies[BROWSER], undefined)
    const succeeded = world.logs('sign_in.succeeded').length
    for (let times = 0; times < 3; times++) {
      const back = await browser.get(callback)
      assert.equal(back.status, 303)
      assert.equal(back.location?.href, at(world, '/basic?b=2').href)
      assert.deepEqual(back.headers.getSetCookie(), [])
    }
    assert.deepEqual(browser.cookies(world.url), cookies)
    assert.equal(world.logs('sign_in.succeeded').length, succeeded)
  })

  it('replayed after sign-out signs nobody in', async () => {
    const browser = createClient()
    const start = await browser.get(at(world, '/basic'))
    const kept = browser.cookies(world.url)[BROWSER]
    const callback = await callbackFromProvider(browser, start, 'alice')
    await browser.get(callback)
    await browser.get(at(world, '/_stepgate/sign-out'))
    assert.equal(browser.cookies(world.url)[SESSION], undefined)
    await assertRefused(browser, await browser.get(callback), 'other-browser')

    // Even with the browser's cookie of that time: the provider has taken its code already.
    browser.setCookie(world.url, `${BROWSER}=${kept}; Path=/`)
    await assertRefused(browser, await browser.get(callback), 'invalid')
    assert.equal(world.logs('sign_in.failed').at(-1)?.code, 'invalid_grant')
  })

  it('of an attempt that took too long says so and leads on, without a loop', async () => {
    for (const late of [HOUR + 1000, 25 * HOUR]) {
      const browser = createClient()
      const callback = await callbackOf(browser, '/basic?late')
      world.turnClock(late)
      const page = await browser.get(callback)
      await assertRefused(browser, page, late > 24 * HOUR ? 'no-state' : 'expired')
      assert.equal(refreshOf(page), undefined)
      const done = await browser.followAll(await browser.get(wayOn(page)))
      assert.equal(done.status, 200)
      const wanted = late > 24 * HOUR ? '/_stepgate/otp' : '/basic'
      assert.equal(done.url.pathname, wanted)
      assert.ok(await acrOf(world, browser))
    }
  })

  it('shows what the provider says as text, and only to whom it concerns', async () => {
    const browser = createClient()
    const refused = await cancelAtProvider(browser, await browser.get(at(world, '/basic?no')))
    assert.equal(refused.status, 403)
    assert.match(refused.text(), /The person cancelled/)
    assert.equal(wayOn(refused).searchParams.get('return_to'), '/basic?no')
    const logged = world.logs('sign_in.failed').at(-1)
    assert.equal(logged?.error, 'access_denied')

    const script = '</p><script>alert(1)</script><img src=x onerror=alert(1)>'
    for (const error of ['access_denied', script, 'server_error']) {
      const start = await browser.get(at(world, '/basic?no'))
      const { searchParams } = start.location ?? assert.fail()
      const answer = new URL(searchParams.get('redirect_uri') ?? '')
      answer.search = String(
        new URLSearchParams({
          error,
          error_description: script,
          state: searchParams.get('state') ?? '',
          iss: world.provider.issuer.origin,
        }),
      )
      const page = await browser.get(answer)
      assert.equal(page.status, error === 'access_denied' ? 403 : 502)
      assert.doesNotMatch(page.text(), /<script>alert|<img src=x/)
      assert.match(page.text(), /&lt;script&gt;alert\(1\)&lt;\/script&gt;/)
      const audit = world.logs('sign_in.failed').at(-1)
      assert.deepEqual(
        [audit?.reason, audit?.error],
        ['refused', error === script ? 'other' : error],
      )

      // Words under somebody else's state are not shown at all.
      const stranger = createClient()
      const elsewhere = await stranger.get(answer)
      assert.doesNotMatch(elsewhere.text(), /alert\(1\)/)
    }
  })

  it('is no answer to a form', async () => {
    const browser = createClient()
    const callback = await callbackOf(browser)
    const page = await browser.post(callback, {})
    assert.equal(page.status, 405)
    assert.equal(browser.cookies(world.url)[SESSION], undefined)
  })
})
