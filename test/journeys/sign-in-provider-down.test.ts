import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { createClient, type Page } from '../support/cookie-jar.ts'
import { type EvilProvider, startEvilProvider } from '../support/evil-provider.ts'
import { testClient } from '../support/relying-party.ts'
import { callbackFromProvider, signInAtProvider } from '../support/sign-in.ts'
import { providerKnown, startWorld, type World } from '../support/world.ts'
import { acrOf, at, refreshOf, SESSION, signIn, wayOn } from './steps.ts'

const DOWN = { answers: { discovery: { status: 503 } } } as const

function assertTryAgain(page: Page): void {
  assert.equal(page.status, 503)
  assert.match(page.text(), /does not answer at the moment/)
  assert.equal(refreshOf(page), undefined)
}

describe('a provider that is down when stepgate starts', () => {
  let evil: EvilProvider
  let world: World
  before(async () => {
    evil = await startEvilProvider({
      clientId: testClient.client_id,
      clientSecret: testClient.client_secret,
    })
    evil.behave(DOWN)
    world = await startWorld({ issuer: evil.issuer, waitForProvider: false })
  })
  after(async () => {
    await world.close()
    await evil.close()
  })

  it('is asked again until it answers; people are told to try again, and then can', async () => {
    const browser = createClient()
    const page = await browser.get(at(world, '/basic?x=1'))
    assertTryAgain(page)
    assert.equal(page.headers.get('retry-after'), '5')
    assert.equal(wayOn(page).href, at(world, '/basic?x=1').href)
    const asked = await browser.get(at(world, '/_stepgate/sign-in?return_to=/basic'))
    assertTryAgain(asked)
    const data = await browser.get(at(world, '/basic'), {
      headers: { accept: 'application/json', 'sec-fetch-mode': 'cors' },
    })
    assert.equal(data.status, 401)
    assert.equal((await browser.get(at(world, '/public'))).status, 200)
    const ready = await browser.get(at(world, '/_stepgate/readyz'))
    assert.equal(ready.status, 503)
    assert.equal(ready.json().checks.provider, 'unavailable')
    const complaint = world
      .logs()
      .find(({ msg }) => /provider can not be discovered/.test(`${msg}`))
    assert.equal(complaint?.code, 'OAUTH_RESPONSE_IS_NOT_CONFORM')
    assert.ok(Number(complaint?.retry_in_ms) > 0)

    evil.behave()
    await providerKnown(world.url)
    const done = await browser.followAll(await browser.get(wayOn(page)))
    assert.equal(done.status, 200)
    assert.equal(done.url.href, at(world, '/basic?x=1').href)
  })

  it('leaves those alone who are signed in, and tells those on their way back', async () => {
    const [browser, onTheWay] = [createClient(), createClient()]
    await browser.followAll(await browser.get(at(world, '/basic')))
    const start = await onTheWay.get(at(world, '/basic'))
    const atProvider = await onTheWay.follow(start)
    evil.behave(DOWN)
    await world.restart()
    assert.equal((await browser.get(at(world, '/basic'))).status, 200)

    const page = await onTheWay.follow(atProvider)
    assertTryAgain(page)
    assert.equal(onTheWay.cookies(world.url)[SESSION], undefined)
    // Signing out needs no provider either.
    const out = await browser.get(at(world, '/_stepgate/sign-out'))
    assert.equal(out.location?.href, at(world, '/_stepgate/signed-out').href)
    assert.equal(await acrOf(world, browser), undefined)
  })
})

describe('a provider that fails later', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())
  afterEach(() => world.provider.resume())

  it('leaves existing sessions alone, and gives others a page and a way on', async () => {
    const [browser, other] = [createClient(), createClient()]
    await signIn(world, browser)
    const callback = await callbackFromProvider(
      other,
      await other.get(at(world, '/basic?y=2')),
      'bob',
    )
    world.provider.pause()
    assert.equal((await browser.get(at(world, '/basic'))).status, 200)
    const page = await other.get(callback)
    assertTryAgain(page)
    assert.equal(world.logs('sign_in.failed').at(-1)?.reason, 'unavailable')
    assert.equal(other.cookies(world.url)[SESSION], undefined)

    world.provider.resume()
    const again = await other.get(wayOn(page))
    const done = await other.followAll(await signInAtProvider(other, again, 'bob'))
    assert.equal(done.url.href, at(world, '/basic?y=2').href)
    assert.equal(done.status, 200)
  })

  it('changes its keys, and the next sign-in works, and the one that was under way', async () => {
    await signIn(world, createClient())
    for (let times = 0; times < 3; times++) {
      await world.provider.rotateKeys()
      const browser = createClient()
      assert.equal((await signIn(world, browser)).status, 200)
      assert.equal(await acrOf(world, browser), 'basic')
    }
    const browser = createClient()
    const callback = await callbackFromProvider(
      browser,
      await browser.get(at(world, '/basic')),
      'alice',
    )
    await world.provider.rotateKeys()
    assert.equal((await browser.get(callback)).status, 303)
    assert.equal(await acrOf(world, browser), 'basic')
  })
})
