import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type Client, createClient, type Page } from '../support/cookie-jar.ts'
import { freshSession, openDoor } from '../support/door.ts'
import { type EvilProvider, startEvilProvider } from '../support/evil-provider.ts'
import { submitForm } from '../support/form.ts'
import { testClient } from '../support/relying-party.ts'
import { signOutAtProvider } from '../support/sign-in.ts'
import { startWorld, type World } from '../support/world.ts'
import { acrOf, at, reached, SESSION, signIn } from './steps.ts'

const SIGN_OUT = '/_stepgate/sign-out'

describe('signing out', () => {
  let world: World
  let browser: Client
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())
  beforeEach(async () => {
    browser = createClient()
    await signIn(world, browser)
  })

  async function assertSignedOut(page: Page, kept: Client): Promise<void> {
    assert.equal(page.status, 303)
    assert.equal(browser.cookies(world.url)[SESSION], undefined)
    assert.equal(await acrOf(world, browser), undefined)
    assert.equal(await acrOf(world, kept), undefined)
    const { subject, reason } = world.logs('session.ended').at(-1) ?? {}
    assert.deepEqual(
      { subject, reason },
      { subject: '5f1d7a52-8c0e-4b7e-9d35-2f6a1c3be801', reason: 'sign_out' },
    )
  }

  it('goes on to the provider with the ID token, and ends at our page', async () => {
    const kept = browser.copy()
    const page = await browser.get(at(world, SIGN_OUT), { from: at(world, '/basic') })
    await assertSignedOut(page, kept)
    const { location = assert.fail() } = page
    assert.equal(location.origin + location.pathname, `${world.provider.issuer.origin}/sign-out`)
    assert.equal(
      location.searchParams.get('post_logout_redirect_uri'),
      at(world, '/_stepgate/signed-out').href,
    )
    const [, payload = ''] = (location.searchParams.get('id_token_hint') ?? '').split('.')
    const hint = JSON.parse(Buffer.from(payload, 'base64url').toString())
    assert.equal(hint.sub, '5f1d7a52-8c0e-4b7e-9d35-2f6a1c3be801')
    assert.equal(JSON.stringify(world.logs()).includes(payload), false)

    const end = await signOutAtProvider(browser, page)
    assert.equal(end.url.href, at(world, '/_stepgate/signed-out').href)
    assert.equal(end.status, 200)
    assert.match(end.text(), /You are signed out/)
    assert.doesNotMatch(end.text(), /may still be signed in/)
    // Nobody is let in silently afterwards.
    const next = await browser.followAll(await browser.get(at(world, '/basic')))
    assert.match(next.text(), /name="password"/)
  })

  it('by a link that was typed in, and by our form, is done at once', async () => {
    for (const leave of [
      () => browser.get(at(world, SIGN_OUT)),
      () => browser.post(at(world, SIGN_OUT), {}),
    ]) {
      browser = createClient()
      await signIn(world, browser)
      const kept = browser.copy()
      await assertSignedOut(await leave(), kept)
    }
  })

  it('by a link from another site or host is asked about first', async () => {
    for (const site of ['cross-site', 'same-site']) {
      const headers = { 'sec-fetch-site': site }
      const page = await browser.get(at(world, SIGN_OUT), { headers })
      assert.equal(page.status, 200)
      assert.deepEqual(page.headers.getSetCookie(), [])
      assert.equal(await acrOf(world, browser), 'basic')
      assert.match(page.headers.get('content-security-policy') ?? '', /form-action 'self' http:/)
      if (site === 'same-site') {
        const kept = browser.copy()
        await assertSignedOut(await submitForm(browser, page), kept)
      }
    }
  })

  it('is not done by what no person follows: an image, a script, a prefetch, HEAD', async () => {
    const own = { 'sec-fetch-site': 'same-origin' }
    const tries: readonly (readonly [string, Record<string, string>])[] = [
      ['GET', { ...own, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
      ['GET', { ...own, 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }],
      ['GET', { ...own, 'sec-purpose': 'prefetch' }],
      ['GET', { ...own, 'sec-purpose': 'prefetch;prerender' }],
      ['HEAD', own],
    ]
    for (const [method, headers] of tries) {
      const page = await browser.request(method, at(world, SIGN_OUT), { headers })
      assert.equal(page.status, 200)
      assert.deepEqual(page.headers.getSetCookie(), [])
      assert.equal(await acrOf(world, browser), 'basic', JSON.stringify(headers))
    }
  })

  it('without a session changes nothing here, and ends one that lives on at the provider', async () => {
    const nobody = createClient()
    const ended = world.logs('session.ended').length
    const foreign = await nobody.get(at(world, SIGN_OUT), { from: 'http://evil.test/' })
    assert.equal(foreign.status, 303)
    assert.equal(foreign.location?.href, at(world, '/_stepgate/signed-out').href)
    for (const page of [
      await nobody.get(at(world, SIGN_OUT), { from: world.url }),
      await nobody.post(at(world, SIGN_OUT), {}),
    ]) {
      assert.equal(page.status, 303)
      assert.equal(page.location?.pathname, '/sign-out')
      assert.equal(page.location?.origin, world.provider.issuer.origin)
    }
    assert.equal(world.logs('session.ended').length, ended)
  })

  it('after an hour away asks the provider to end its session too', async () => {
    await signIn(world, browser)
    world.turnClock(61 * 60_000)
    const page = await browser.get(at(world, SIGN_OUT))
    assert.equal(page.location?.origin, world.provider.issuer.origin)
  })

  it('ends one person’s session and nobody else’s', async () => {
    const other = createClient()
    await signIn(world, other)
    const bob = createClient()
    await signIn(world, bob, { username: 'bob' })
    await browser.get(at(world, SIGN_OUT))
    assert.equal(await acrOf(world, other), 'basic')
    assert.equal(await acrOf(world, bob), 'basic')
  })

  it('and in again in the same browser works', async () => {
    for (let times = 0; times < 3; times++) {
      const page = await browser.get(at(world, SIGN_OUT))
      await signOutAtProvider(browser, page)
      assert.equal(await acrOf(world, browser), undefined)
      assert.equal((await signIn(world, browser)).status, 200)
      assert.equal(await acrOf(world, browser), 'basic')
    }
  })

  it('needs no provider that is reachable', async () => {
    const kept = browser.copy()
    world.provider.pause()
    const page = await browser.get(at(world, SIGN_OUT))
    world.provider.resume()
    await assertSignedOut(page, kept)
  })

  it('has no other way on than the configured one', async () => {
    const query = '?post_logout_redirect_uri=http://evil.test/&return_to=//evil.test'
    const page = await browser.get(at(world, SIGN_OUT + query))
    assert.doesNotMatch(page.location?.href ?? 'evil', /evil/)
  })
})

describe('signing out while the provider has not been heard of for too long', () => {
  const HOUR = 60 * 60_000

  it('ends the session, and with “everywhere” all: the provider may be back in a moment', async (t) => {
    const door = await openDoor()
    t.after(() => door.close())
    const stale = { createdAt: door.now() - 2 * HOUR, checkedAt: door.now() - 2 * HOUR }
    const cookie = (await door.cookieOf(stale)).replace('Cookie: ', '')
    const send = (path: string, init: RequestInit) => {
      const headers = { cookie, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' }
      const url = `http://127.0.0.1:${door.port}${path}`
      return fetch(url, { redirect: 'manual', ...init, headers })
    }
    assert.equal((await send('/_stepgate/session', {})).status, 401)
    const asked = await send(`${SIGN_OUT}?ask=yes`, {})
    assert.match(await asked.text(), /name="everywhere"/)

    const body = new URLSearchParams({ everywhere: 'yes' })
    assert.equal((await send(SIGN_OUT, { method: 'POST', body })).status, 303)
    assert.deepEqual(
      door.logs('session.ended').map(({ subject, reason }) => [subject, reason]),
      [['subject-of-alice', 'sign_out_everywhere']],
    )
    const { revocations } = door.context
    const others = { ...freshSession(door.now() - HOUR), family: 'on another device' }
    assert.equal(revocations.isOver(others), true)
    assert.equal(revocations.isOver({ ...others, family: 'f', subject: 'bob' }), false)
  })
})

describe('signing out where the provider has no page for it', () => {
  let evil: EvilProvider
  let world: World
  before(async () => {
    evil = await startEvilProvider({
      clientId: testClient.client_id,
      clientSecret: testClient.client_secret,
    })
    world = await startWorld({ issuer: evil.issuer })
  })
  after(async () => {
    await world.close()
    await evil.close()
  })

  it('ends at our page, which says what stays', async () => {
    const browser = createClient()
    await browser.followAll(await browser.get(at(world, '/basic')))
    assert.equal(await acrOf(world, browser), 'basic')
    const kept = browser.copy()
    const page = await browser.get(at(world, SIGN_OUT))
    assert.equal(page.location?.href, at(world, '/_stepgate/signed-out').href)
    const end = await browser.followAll(page)
    assert.equal(end.status, 200)
    assert.match(end.text(), /may still be signed in/)
    assert.equal(await acrOf(world, kept), undefined)
    assert.equal(reached(world), 1)
  })
})
