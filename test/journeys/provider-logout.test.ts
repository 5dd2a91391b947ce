import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { type Store, StoreUnavailableError } from '../../proxy/store/store.ts'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'
import { type Client, createClient, type Page } from '../support/cookie-jar.ts'
import { type EvilProvider, startEvilProvider } from '../support/evil-provider.ts'
import { submitForm } from '../support/form.ts'
import { testClient } from '../support/relying-party.ts'
import { signInAtProvider, signOutAtProvider } from '../support/sign-in.ts'
import { startWorld, type World } from '../support/world.ts'
import { acrOf, at, SESSION, signIn } from './steps.ts'

const ALICE_SUBJECT = '5f1d7a52-8c0e-4b7e-9d35-2f6a1c3be801'
const BACK = '/_stepgate/backchannel-logout'
const FRONT = '/_stepgate/frontchannel-logout'

const endings = (world: World) =>
  world.logs('session.ended').map(({ subject, reason }) => ({ subject, reason }))

async function signedIn(world: World, username = 'alice'): Promise<Client> {
  const browser = createClient()
  await signIn(world, browser, { username })
  return browser
}

/** At the provider's own page, where no application has sent the person. */
function leaveProvider(world: World, browser: Client): Promise<Page> {
  return signOutAtProvider(browser, new URL('/sign-out', world.provider.issuer))
}

describe('a provider that tells of the end of each of its sessions', () => {
  let world: World
  before(async () => {
    world = await startWorld({ backChannel: 'sid' })
  })
  after(() => world.close())

  it('ends that one here, and none that the person has elsewhere', async () => {
    const [here, elsewhere, bob] = await Promise.all([
      signedIn(world),
      signedIn(world),
      signedIn(world, 'bob'),
    ])
    await leaveProvider(world, here)
    assert.equal(await acrOf(world, here), undefined)
    assert.equal(await acrOf(world, elsewhere), 'basic')
    assert.equal(await acrOf(world, bob), 'basic')
    assert.deepEqual(endings(world), [{ subject: ALICE_SUBJECT, reason: 'back_channel_logout' }])
    await signIn(world, here)
    assert.equal(await acrOf(world, here), 'basic')
  })

  it('tells us of what we have told it: that is the same end', async () => {
    const before = endings(world).length
    const browser = await signedIn(world)
    await signOutAtProvider(browser, await browser.get(at(world, '/_stepgate/sign-out')))
    assert.deepEqual(endings(world).slice(before), [{ subject: ALICE_SUBJECT, reason: 'sign_out' }])
    assert.deepEqual(world.logs('request.denied'), [])
  })
})

describe('a provider that tells of the person alone', () => {
  let world: World
  before(async () => {
    world = await startWorld({ backChannel: 'subject' })
  })
  after(() => world.close())

  it('ends all sessions of that person here that began before, and of nobody else', async () => {
    const [here, elsewhere, bob] = await Promise.all([
      signedIn(world),
      signedIn(world),
      signedIn(world, 'bob'),
    ])
    await leaveProvider(world, here)
    assert.equal(await acrOf(world, here), undefined)
    assert.equal(await acrOf(world, elsewhere), undefined)
    assert.equal(await acrOf(world, bob), 'basic')
    assert.deepEqual(endings(world), [{ subject: ALICE_SUBJECT, reason: 'back_channel_logout' }])
    // Whoever signs in again does not wait for clocks to agree.
    for (const browser of [here, elsewhere]) {
      await signIn(world, browser)
      assert.equal(await acrOf(world, browser), 'basic')
    }
  })
})

describe('signing out everywhere', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())

  it('is nothing that a link or another site can do', async () => {
    const [here, elsewhere] = await Promise.all([signedIn(world), signedIn(world)])
    const foreign = { from: 'http://evil.test/' }
    const form = { everywhere: 'yes' }
    const refused = await here.post(at(world, '/_stepgate/sign-out'), form, foreign)
    assert.equal(refused.status, 403)
    await here.get(at(world, '/_stepgate/sign-out?everywhere=yes&ask=yes'), foreign)
    assert.equal(await acrOf(world, here), 'basic')
    const end = await here.get(at(world, '/_stepgate/sign-out?everywhere=yes'))
    assert.equal(end.status, 303)
    assert.equal(await acrOf(world, here), undefined)
    assert.equal(await acrOf(world, elsewhere), 'basic')
  })

  it('is a choice on the page, and ends all sessions of the person that began before', async () => {
    const [here, elsewhere, bob] = await Promise.all([
      signedIn(world),
      signedIn(world),
      signedIn(world, 'bob'),
    ])
    const before = endings(world).length
    world.turnClock(60_000)
    const asked = await here.get(at(world, '/_stepgate/sign-out?ask=yes'), { from: world.url })
    assert.equal(asked.status, 200)
    assert.equal(await acrOf(world, here), 'basic')
    const gone = await submitForm(here, asked, { everywhere: 'yes' }, () => true)
    for (const browser of [here, elsewhere]) assert.equal(await acrOf(world, browser), undefined)
    assert.equal(await acrOf(world, bob), 'basic')
    assert.deepEqual(endings(world).slice(before), [
      { subject: ALICE_SUBJECT, reason: 'sign_out_everywhere' },
    ])
    const end = await signOutAtProvider(here, gone)
    assert.equal(end.url.pathname, '/_stepgate/signed-out')
    assert.match(asked.text(), /<input type="checkbox" name="everywhere" value="yes">/)
    assert.match(end.text(), /all your other devices, too/)
    // The provider would let her in elsewhere without asking. Here, as its clock is a minute behind,
    // a sign-in seems to be one of before, too.
    for (const browser of [elsewhere, here]) {
      const page = await signIn(world, browser)
      assert.match(page.text(), /name="password"/)
      assert.equal(await acrOf(world, browser), undefined)
      await browser.followAll(await signInAtProvider(browser, page.url, 'alice'))
      assert.equal(await acrOf(world, browser), 'basic')
    }
    assert.equal(await acrOf(world, bob), 'basic')
  })
})

describe('what a provider sends', () => {
  let evil: EvilProvider
  let world: World
  let store: Store
  let isDown = false
  let browser: Client
  let sids = 0
  before(async () => {
    evil = await startEvilProvider({
      clientId: testClient.client_id,
      clientSecret: testClient.client_secret,
    })
    store = createMemoryStore()
    world = await startWorld({ issuer: evil.issuer, overrides: { store: sometimesDown(store) } })
  })
  beforeEach(async () => {
    sids += 1
    browser = await signInAs(`sid-${sids}`)
  })
  afterEach(() => {
    isDown = false
    evil.behave()
  })
  after(async () => {
    await world.close()
    await evil.close()
  })

  function sometimesDown(all: Store): Store {
    const names = ['get', 'put', 'swap', 'take', 'revoke'] as const
    const failing = names.map((name) => [
      name,
      (...asked: never[]) =>
        isDown
          ? Promise.reject(new StoreUnavailableError('down'))
          : (all[name] as (...asked: never[]) => unknown)(...asked),
    ])
    return { ...all, ...Object.fromEntries(failing) }
  }

  async function signInAs(sid: string): Promise<Client> {
    evil.behave({ alterIdToken: (claims) => Object.assign(claims, { sid }) })
    const client = createClient()
    await client.followAll(await client.get(at(world, '/basic')))
    evil.behave()
    assert.equal(await acrOf(world, client), 'basic')
    return client
  }

  const sid = () => `sid-${sids}`
  const tokenFor = (claims: object) =>
    evil.logoutToken({ alter: (all) => Object.assign(all, claims) })
  /** As the provider sends it: from no page, without cookies. */
  const send = (form: Record<string, string> | string) =>
    createClient().post(at(world, BACK), form, {
      headers: { origin: undefined, 'sec-fetch-site': undefined, 'sec-fetch-mode': undefined },
    })

  async function assertRefused(page: Page, code: string): Promise<void> {
    assert.equal(page.status, 400)
    assert.equal(page.headers.get('cache-control'), 'no-store')
    const { error, error_description: description } = page.json()
    assert.equal(error, 'invalid_request')
    assert.match(description, new RegExp(`: ${code}$`))
    const denied = world.logs('request.denied').at(-1)
    assert.equal(denied?.reason, 'logout_token')
    assert.equal(denied?.code, code)
  }

  it('a logout token ends the session at once, counts once, and is answered as it should be', async () => {
    const token = await tokenFor({ sid: sid() })
    const page = await send({ logout_token: token })
    assert.equal(page.status, 200)
    assert.equal(page.headers.get('cache-control'), 'no-store')
    assert.equal(await acrOf(world, browser), undefined)
    assert.deepEqual(endings(world).at(-1), {
      subject: 'evil-subject',
      reason: 'back_channel_logout',
    })
    const before = endings(world).length
    await assertRefused(await send({ logout_token: token }), 'replay')
    assert.equal(endings(world).length, before)
  })

  it('a token of the person that comes again ends nothing that began in between', async () => {
    const token = await tokenFor({})
    assert.equal((await send({ logout_token: token })).status, 200)
    assert.equal(await acrOf(world, browser), undefined)
    const next = await signInAs('next')
    await assertRefused(await send({ logout_token: token }), 'replay')
    assert.equal(await acrOf(world, next), 'basic')
  })

  it('of one token many times at once one counts', async () => {
    const token = await tokenFor({ sid: sid() })
    const pages = await Promise.all(Array.from({ length: 8 }, () => send({ logout_token: token })))
    assert.equal(pages.filter(({ status }) => status === 200).length, 1)
    assert.equal(pages.filter(({ status }) => status === 400).length, 7)
  })

  it('a logout holds for a session that is only about to begin', async () => {
    assert.equal((await send({ logout_token: await tokenFor({ sid: 'early' }) })).status, 200)
    evil.behave({ alterIdToken: (claims) => Object.assign(claims, { sid: 'early' }) })
    const late = createClient()
    const callback = await late.follow(await late.get(at(world, '/basic')))
    const again = await late.follow(callback)
    assert.equal(late.cookies(world.url)[SESSION], undefined)
    assert.equal(again.location?.origin, evil.issuer.origin)
    assert.equal(again.location?.searchParams.get('prompt'), 'login')
    // The person signs in anew there, in a session of another name.
    evil.behave({ alterIdToken: (claims) => Object.assign(claims, { sid: 'late' }) })
    await late.followAll(again)
    assert.equal(await acrOf(world, late), 'basic')
  })

  it('a provider that goes on with a name whose end it told is a page that says so, and no circle', async () => {
    assert.equal((await send({ logout_token: await tokenFor({ sid: 'again' }) })).status, 200)
    evil.behave({ alterIdToken: (claims) => Object.assign(claims, { sid: 'again' }) })
    const before = evil.requestCount('authorize')
    const late = createClient()
    const failed = await late.followAll(await late.get(at(world, '/basic')))
    assert.deepEqual([failed.status, failed.url.pathname], [502, '/_stepgate/callback'])
    assert.equal(evil.requestCount('authorize'), before + 2)
    assert.equal(world.logs('sign_in.failed').at(-1)?.reason, 'ended')
    assert.equal(await acrOf(world, late), undefined)
  })

  it('a session that began without a sid ends with any of its person, and one with another does not', async () => {
    const nameless = createClient()
    await nameless.followAll(await nameless.get(at(world, '/basic')))
    const before = endings(world).length
    assert.equal((await send({ logout_token: await tokenFor({ sid: 'unheard of' }) })).status, 200)
    assert.deepEqual(endings(world).slice(before), [
      { subject: 'evil-subject', reason: 'back_channel_logout' },
    ])
    assert.equal(await acrOf(world, nameless), undefined)
    assert.equal(await acrOf(world, browser), 'basic')
  })

  it('what is no token for us ends nothing', async () => {
    const token = await tokenFor({ sid: sid(), nonce: 'n' })
    await assertRefused(await send({ logout_token: token }), 'nonce')
    await assertRefused(await send({ token }), 'logout_token')
    await assertRefused(await send(`logout_token=${token}&logout_token=${token}`), 'logout_token')
    const idTokenLike = await tokenFor({ sid: sid(), events: undefined })
    await assertRefused(await send({ logout_token: idTokenLike }), 'events')
    const unsigned = await evil.logoutToken({ signing: 'none' })
    await assertRefused(await send({ logout_token: unsigned }), 'ERR_JOSE_ALG_NOT_ALLOWED')
    assert.equal((await send(`logout_token=${'x'.repeat(20_000)}`)).status, 413)
    assert.equal((await createClient().get(at(world, BACK))).status, 405)
    assert.equal(await acrOf(world, browser), 'basic')
  })

  it('while the store is down the session ends here, and the provider hears that it may try again', async () => {
    const token = await tokenFor({ sid: sid() })
    isDown = true
    const page = await send({ logout_token: token })
    assert.equal(page.status, 503)
    assert.equal(page.json().error, 'store_unavailable')
    assert.equal(page.headers.get('cache-control'), 'no-store')
    assert.equal(await acrOf(world, browser), undefined)
    isDown = false
    assert.equal((await send({ logout_token: token })).status, 200)
  })

  it('a frame ends the session by its sid, without a cookie, and only the provider may show it', async () => {
    const query = new URLSearchParams({ iss: evil.issuer.origin, sid: sid() })
    const page = await createClient().get(at(world, `${FRONT}?${query}`), { from: evil.issuer })
    assert.equal(page.status, 200)
    assert.equal(await acrOf(world, browser), undefined)
    assert.deepEqual(endings(world).at(-1), {
      subject: 'evil-subject',
      reason: 'front_channel_logout',
    })
    const { headers } = page
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('x-frame-options'), null)
    assert.equal(headers.get('clear-site-data'), '"cache"')
    assert.equal(
      headers.get('content-security-policy'),
      `default-src 'none'; frame-ancestors ${evil.issuer.origin}`,
    )
    const before = endings(world).length
    const again = await createClient().get(at(world, `${FRONT}?${query}`))
    assert.equal(again.status, 200)
    assert.equal(again.headers.get('clear-site-data'), null)
    // Of the same end by the back channel, too, the log has one line.
    assert.equal((await send({ logout_token: await tokenFor({ sid: sid() }) })).status, 200)
    assert.equal(endings(world).length, before)
  })

  it('a frame that knows no sid ends nothing and writes nothing down, whatever cookie it has', async () => {
    const iss = evil.issuer.origin
    const written = async () => (await store.revocations(0, world.now())).ids.length
    const before = await written()
    const tries = [
      [{ iss, sid: 'guessed' }, 200],
      [{ iss, sid: 'x'.repeat(5_000) }, 200],
      [{ iss }, 400],
      [{ sid: sid() }, 400],
      [{ iss: 'http://evil.test', sid: sid() }, 400],
      [{}, 400],
    ] as const
    for (const [fields, status] of tries) {
      const query = new URLSearchParams(fields)
      const page = await browser.get(at(world, `${FRONT}?${query}`), { from: 'http://evil.test/' })
      assert.equal(page.status, status, `${query}`)
      assert.equal(page.headers.get('cache-control'), 'no-store')
    }
    const query = new URLSearchParams({ iss, sid: sid() })
    await browser.request('HEAD', at(world, `${FRONT}?${query}`))
    const prefetch = { headers: { 'sec-purpose': 'prefetch' } }
    await browser.get(at(world, `${FRONT}?${query}`), prefetch)
    assert.equal(await acrOf(world, browser), 'basic')
    assert.equal(await written(), before)
  })
})
