import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, afterEach, before, describe, it } from 'node:test'
import { createClient } from '../support/cookie-jar.ts'
import { type EvilProvider, startEvilProvider } from '../support/evil-provider.ts'
import { testClient } from '../support/relying-party.ts'
import { callbackFromProvider, signInAtProvider } from '../support/sign-in.ts'
import { ALICE, startWorld, type World } from '../support/world.ts'
import { acrOf, at, refreshOf, SESSION, signIn, wayOn } from './steps.ts'

const DAY = 24 * 60 * 60_000

describe('what the provider says of a person', () => {
  let world: World
  before(async () => {
    world = await startWorld({
      env: {
        STEPGATE_RULES: 'basic /whoami; basic /basic; twilio_sms /**',
        STEPGATE_OIDC_TRUST_ACR: 'mfa https://example.com/strong',
      },
    })
  })
  after(() => world.close())
  afterEach(() => {
    world.provider.setClaims('alice', {})
    world.provider.setAuthentication({ amr: ['pwd'] })
    world.turnClock(DAY)
  })

  /** The headers that the application gets to see. */
  async function headersOf(username = 'alice'): Promise<Record<string, string | undefined>> {
    const page = await signIn(world, createClient(), { path: '/whoami', username })
    assert.equal(page.status, 200)
    return page.json().headers
  }

  it('without the claim for the username lets nobody in, and the log names the claim', async () => {
    for (const value of [undefined, '', 7, ['alice'], { name: 'alice' }, 'a'.repeat(257)]) {
      world.provider.setClaims('alice', { preferred_username: value })
      const browser = createClient()
      const page = await signIn(world, browser)
      assert.equal(page.status, 502)
      assert.match(page.text(), /The sign-in service reported a problem/)
      assert.equal(refreshOf(page), undefined)
      assert.ok(wayOn(page))
      assert.equal(browser.cookies(world.url)[SESSION], undefined)
      const { reason, claim } = world.logs('sign_in.failed').at(-1) ?? {}
      assert.deepEqual({ reason, claim }, { reason: 'missing-claim', claim: 'preferred_username' })
    }
    assert.equal((await headersOf('bob'))['x-forwarded-user'], 'bob')
  })

  it('tells the application an e-mail address that was verified, and no other', async () => {
    assert.equal((await headersOf())['x-forwarded-email'], 'alice@example.com')
    for (const unverified of [false, 'false']) {
      world.provider.setClaims('alice', { email_verified: unverified })
      assert.equal((await headersOf())['x-forwarded-email'], undefined)
    }
  })

  it('may be one group as a text', async () => {
    assert.equal((await headersOf())['x-forwarded-groups'], 'hr,staff')
    world.provider.setClaims('alice', { groups: 'hr' })
    assert.equal((await headersOf())['x-forwarded-groups'], 'hr')
    world.provider.setClaims('alice', { groups: undefined })
    assert.equal((await headersOf())['x-forwarded-groups'], undefined)
  })

  it('counts as a code where its acr or amr is trusted, without a message', async () => {
    for (const proved of [{ acr: 'mfa', amr: ['pwd'] }, { amr: ['pwd', 'mfa'] }]) {
      world.provider.setAuthentication(proved)
      const sent = world.messages(ALICE).length
      const browser = createClient()
      const page = await signIn(world, browser, { path: '/' })
      assert.equal(page.url.pathname, '/')
      assert.equal(page.status, 200)
      assert.equal(await acrOf(world, browser), 'twilio_sms')
      assert.equal(world.messages(ALICE).length, sent)
    }
  })

  it('counts for no more than a password where it is not', async () => {
    for (const proved of [
      { acr: 'pwd', amr: ['pwd'] },
      { acr: 'MFA', amr: ['hwk'] },
      { acr: 'twilio_sms', amr: ['sms', 'otp'] },
      { acr: 'mfa https://example.com/strong', amr: [] },
    ]) {
      world.provider.setAuthentication(proved)
      world.turnClock(DAY)
      const sent = world.messages(ALICE).length
      const browser = createClient()
      const page = await signIn(world, browser, { path: '/' })
      assert.equal(page.url.pathname, '/_stepgate/otp')
      assert.equal(await acrOf(world, browser), 'basic')
      assert.equal(world.messages(ALICE).length, sent + 1)
    }
  })

  it('sends a code to no number that was not verified', async () => {
    const sent = world.messages().length
    for (const unverified of [false, undefined, 'false', 1]) {
      world.provider.setClaims('alice', { phone_number_verified: unverified })
      const page = await signIn(world, createClient(), { path: '/' })
      assert.equal(page.status, 403)
    }
    assert.equal(world.messages().length, sent)
    world.provider.setClaims('alice', { phone_number_verified: 'true' })
    const page = await signIn(world, createClient(), { path: '/' })
    assert.equal(page.status, 200)
    assert.equal(world.messages().length, sent + 1)
  })
})

describe('languages that are asked for', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())

  it('hold at the provider, on the code page and on the page of a failure', async () => {
    const browser = createClient({ language: 'en' })
    const start = await browser.get(
      at(world, '/_stepgate/sign-in?return_to=/whoami&ui_locales=de-AT%20en'),
    )
    assert.equal(start.location?.searchParams.get('ui_locales'), 'de-AT en')
    const callback = await callbackFromProvider(browser, start, 'alice')
    const stranger = createClient({ language: 'en' })
    const failed = await stranger.get(callback)
    assert.match(failed.text(), /<html lang="de"/)
    assert.equal(refreshOf(failed)?.searchParams.get('ui_locales'), 'de-AT en')
    const otp = await browser.followAll(await browser.get(callback))
    assert.match(otp.text(), /<html lang="de"/)
    assert.match(otp.text(), /name="code"/)
  })

  it('that are none are left out', async () => {
    for (const asked of ['', 'd e/', '<b>', 'de '.repeat(3000), 'x'.repeat(5000)]) {
      const browser = createClient()
      const query = new URLSearchParams({ return_to: '/basic', ui_locales: asked })
      const start = await browser.get(at(world, `/_stepgate/sign-in?${query}`))
      assert.equal(start.location?.searchParams.has('ui_locales'), false)
      const page = await browser.followAll(await signInAtProvider(browser, start, 'alice'))
      assert.equal(page.url.href, at(world, '/basic').href)
      assert.equal(page.status, 200)
    }
  })
})

describe('odd claims', () => {
  let evil: EvilProvider
  let world: World
  before(async () => {
    evil = await startEvilProvider({
      clientId: testClient.client_id,
      clientSecret: testClient.client_secret,
    })
    world = await startWorld({
      issuer: evil.issuer,
      env: {
        STEPGATE_OIDC_TRUST_ACR: 'mfa',
        STEPGATE_OIDC_CLAIMS: '{"id_token":{"amr":{"essential":true,"values":["pwd"]}}}',
      },
    })
  })
  after(async () => {
    await world.close()
    await evil.close()
  })

  for (const [name, changes, status] of [
    ['a time of sign-in with a fraction', { auth_time: 1_700_000_000.0123 }, 200],
    ['a time of sign-in in the future', { auth_time: 99_999_999_999 }, 200],
    ['no time of sign-in', { auth_time: undefined }, 200],
    ['a locale that is no text', { locale: { de: true } }, 200],
    ['groups of other kinds', { groups: [7, null, 'staff', '', 'staff'] }, 200],
    ['a name of two lines', { name: 'Alice\r\nX-Forwarded-User: root' }, 200],
    ['thousands of groups', { groups: manyGroups(4000) }, 200],
    ['so many groups that nothing holds them', { groups: manyGroups(200_000) }, 500],
  ] as const) {
    it(`${name}: signed in for good or not at all, and never round and round`, async () => {
      evil.behave({ alterIdToken: (claims) => Object.assign(claims, changes) })
      const succeeded = world.logs('sign_in.succeeded').length
      const browser = createClient()
      const page = await browser.followAll(await browser.get(at(world, '/basic')))
      assert.equal(page.status, status, page.text())
      const signedIn = status !== 500
      assert.equal(await acrOf(world, browser), signedIn ? 'basic' : undefined)
      assert.equal(world.logs('sign_in.succeeded').length, succeeded + (signedIn ? 1 : 0))
      const seen = world.application.requests().at(-1)
      if (status === 200) assert.equal(seen?.headers['x-forwarded-user'], 'alice')
    })
  }

  it('of userinfo count only where the ID token says nothing', async () => {
    evil.behave({
      alterIdToken: (claims) => {
        delete claims.email
        delete claims.email_verified
      },
      alterUserinfo: (claims) => {
        Object.assign(claims, { preferred_username: 'root', email: 'a@example.com', acr: 'mfa' })
        Object.assign(claims, { email_verified: false, amr: ['mfa'] })
      },
    })
    await openBasic(world)
    const seen = world.application.requests().at(-1)
    assert.equal(seen?.headers['x-stepgate-acr'], 'basic')
    assert.equal(seen?.headers['x-stepgate-amr'], 'pwd')
    assert.equal(seen?.headers['x-forwarded-user'], 'alice')
    assert.equal(seen?.headers['x-forwarded-email'], undefined)
  })

  it('that are essential sign nobody in when they are not as asked for, and the log names them', async () => {
    for (const amr of [undefined, ['hwk'], ['PWD'], { pwd: true }]) {
      evil.behave({
        alterIdToken: (claims) => Object.assign(claims, { amr }),
        alterUserinfo: (claims) => Object.assign(claims, { amr: ['pwd'] }),
      })
      const browser = createClient()
      const page = await browser.followAll(await browser.get(at(world, '/basic')))
      assert.equal(page.status, 502)
      assert.equal(browser.cookies(world.url)[SESSION], undefined)
      const { reason, claim } = world.logs('sign_in.failed').at(-1) ?? {}
      assert.deepEqual({ reason, claim }, { reason: 'missing-claim', claim: 'amr' })
    }
    const error = 'unmet_authentication_requirements'
    evil.behave({
      alterCallback(parameters) {
        parameters.delete('code')
        parameters.set('error', error)
      },
    })
    const browser = createClient()
    const refused = await browser.followAll(await browser.get(at(world, '/basic')))
    assert.equal(refused.status, 403)
    assert.match(refused.text(), new RegExp(error))
  })

  it('that userinfo alone knows are asked for there', async () => {
    evil.behave({
      alterIdToken: (claims) => delete claims.email_verified,
      alterUserinfo: (claims) => Object.assign(claims, { email_verified: false }),
    })
    await openBasic(world)
    const seen = world.application.requests().at(-1)
    assert.equal(seen?.headers['x-forwarded-email'], undefined)
  })
})

async function openBasic(world: World): Promise<void> {
  const browser = createClient()
  const page = await browser.followAll(await browser.get(at(world, '/basic')))
  assert.equal(page.status, 200)
}

function manyGroups(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `group-${index}`)
}

describe('what the provider is asked for', () => {
  let world: World
  before(async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    world = await startWorld({
      env: {
        STEPGATE_OIDC_CLIENT_SECRET: undefined,
        STEPGATE_OIDC_CLIENT_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
        STEPGATE_OIDC_CLIENT_KEY_ID: 'of-2026',
        STEPGATE_OIDC_PAR: 'on',
        STEPGATE_OIDC_ACR_VALUES: 'mfa',
        STEPGATE_OIDC_CLAIMS:
          '{"id_token":{"acr":{"essential":true,"values":["mfa"]}},"userinfo":{"nickname":null}}',
        STEPGATE_OIDC_UI_LOCALES: 'de',
        STEPGATE_OIDC_PARAMETERS: 'domain_hint=example.com',
      },
    })
    const { client_secret: _, ...client } = testClient
    world.provider.putClient({
      ...client,
      redirect_uris: [at(world, '/_stepgate/callback').href],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), d: undefined, kid: 'of-2026' }] },
    })
  })
  after(() => world.close())

  it('goes there by a client with a key, and shows nothing of it to the browser', async () => {
    world.provider.setAuthentication({ acr: 'mfa', amr: ['pwd'] })
    const pushed = world.provider.requestCount('/push')
    const browser = createClient()
    const hint = new URLSearchParams({ return_to: '/basic', login_hint: 'bob"><script>' })
    const start = await browser.get(at(world, `/_stepgate/sign-in?${hint}`))
    assert.deepEqual([...(start.location?.searchParams.keys() ?? [])].sort(), [
      'client_id',
      'request_uri',
    ])
    assert.equal(world.provider.requestCount('/push'), pushed + 1)
    const form = await browser.followAll(start)
    assert.match(form.text(), /<html lang="de"/)
    assert.match(form.text(), /value="bob&quot;&gt;&lt;script&gt;"/)
    const page = await signIn(world, browser, { path: '/basic' })
    assert.equal(page.status, 200)
    // What the provider proves by an acr that nobody trusts is the first factor, asked for or not.
    assert.equal(await acrOf(world, browser), 'basic')
  })

  it('is a page to wait on while the provider takes no request, and 401 for programs', async () => {
    world.provider.pause()
    const page = await createClient().get(at(world, '/basic'))
    assert.equal(page.status, 503)
    assert.match(page.text(), /sign-in service/)
    const pushed = world.provider.requestCount('/push')
    const program = await createClient().get(at(world, '/basic'), {
      headers: { 'sec-fetch-mode': 'cors', accept: 'application/json' },
    })
    assert.equal(program.status, 401)
    assert.equal(world.provider.requestCount('/push'), pushed)
    world.provider.resume()
    const [{ reason } = assert.fail()] = world
      .logs()
      .filter(({ msg }) => /did not take the authorization request/.test(String(msg)))
    assert.match(String(reason), /^[\w.-]+$/)
  })
})
