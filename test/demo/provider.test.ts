import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { decodeProtectedHeader } from 'jose'
import * as openid from 'openid-client'
import { demoPeople } from '../../demo/people.ts'
import { type DemoProvider, startProvider } from '../../demo/provider.ts'
import { type Client, createClient } from '../support/cookie-jar.ts'
import { readForms, submitForm } from '../support/form.ts'
import { createRelyingParty, type RelyingParty, testClient } from '../support/relying-party.ts'
import { callbackFromProvider, signOutAtProvider } from '../support/sign-in.ts'

const PROVIDER = new URL('../../demo/provider.ts', import.meta.url).href

describe("the demo's provider", () => {
  const errors: Error[] = []
  let provider: DemoProvider
  let party: RelyingParty
  let client: Client

  before(async () => {
    provider = await startProvider({
      port: 0,
      clients: [testClient],
      people: demoPeople,
      hint: 'Try <alice>',
      onError: (error) => errors.push(error),
    })
  })
  after(() => provider.close())
  beforeEach(async () => {
    client = createClient()
    party = await createRelyingParty(provider.issuer)
  })
  afterEach(async () => {
    await client.close()
    assert.deepEqual(errors, [])
  })

  async function signIn(username: string, parameters?: Record<string, string>) {
    const { url, expected } = await party.begin(parameters)
    const tokens = await party.finish(await callbackFromProvider(client, url, username), expected)
    return { claims: tokens.claims() ?? assert.fail('no ID token'), tokens }
  }

  it('signs a person in and says who she is in a signed ID token', async () => {
    const startedAt = Math.floor(Date.now() / 1000)
    const { claims } = await signIn('alice')
    const { auth_time: authTime, ...rest } = claims
    assert.ok(typeof authTime === 'number' && authTime >= startedAt)
    assert.deepEqual(
      { ...rest, iat: 0, exp: 0, nonce: '', at_hash: '' },
      {
        iss: provider.issuer.origin,
        aud: testClient.client_id,
        sub: demoPeople[0]?.subject,
        amr: ['pwd'],
        preferred_username: 'alice',
        name: 'Alice Adams',
        groups: ['hr', 'staff'],
        email: 'alice@example.com',
        email_verified: true,
        phone_number: '+4915228817386',
        phone_number_verified: true,
        iat: 0,
        exp: 0,
        nonce: '',
        at_hash: '',
      },
    )
  })

  it('says the same from its userinfo endpoint, names beyond ASCII too', async () => {
    const { claims, tokens } = await signIn('carol')
    assert.equal(claims.name, 'Carol Müller-Größe')
    assert.equal(claims.phone_number, undefined)
    const info = await openid.fetchUserInfo(party.configuration, tokens.access_token, claims.sub)
    assert.equal(info.name, 'Carol Müller-Größe')
    assert.deepEqual(info.groups, ['staff'])
  })

  it('keeps phone and e-mail to itself unless their scopes are asked for', async () => {
    const { claims } = await signIn('alice', { scope: 'openid profile' })
    assert.equal(claims.preferred_username, 'alice')
    assert.equal(claims.email, undefined)
    assert.equal(claims.phone_number, undefined)
  })

  it('lets a browser that it knows through without a form', async () => {
    await signIn('alice')
    const { url } = await party.begin()
    const answer = await client.get(url)
    assert.ok(answer.location?.searchParams.has('code'))
  })

  it('asks again for prompt=login and for max_age, and refuses prompt=none to a stranger', async () => {
    const stranger = await client.get((await party.begin({ prompt: 'none' })).url)
    assert.equal(stranger.location?.searchParams.get('error'), 'login_required')
    await signIn('alice')
    for (const parameters of [{ prompt: 'login' }, { max_age: '0' }]) {
      const page = await client.get((await party.begin(parameters)).url)
      assert.match(page.location?.pathname ?? '', /^\/sign-in\//)
    }
    const { claims } = await signIn('alice', { prompt: 'login' })
    assert.equal(claims.preferred_username, 'alice')
  })

  it('lets somebody else take over a browser by signing in', async () => {
    await signIn('alice')
    const { claims } = await signIn('bob', { prompt: 'login' })
    assert.equal(claims.preferred_username, 'bob')
    const silent = await signIn('bob')
    assert.equal(silent.claims.preferred_username, 'bob')
  })

  it('fills in the login hint and escapes it', async () => {
    const hint = '"><script>alert(1)</script>'
    const page = await loginPage({ login_hint: hint })
    assert.doesNotMatch(page.text(), /<script>alert/)
    assert.equal(readForms(page)[0]?.fields.username, hint)
    assert.match(page.text(), /Try &lt;alice&gt;/)
  })

  it('speaks the language of ui_locales', async () => {
    assert.match((await loginPage({ ui_locales: 'fr de-AT en' })).text(), /<html lang="de">/)
    assert.match((await loginPage({ ui_locales: 'fr' })).text(), /<html lang="en">/)
  })

  it('refuses a wrong password, an unknown person and empty fields in the same words', async () => {
    for (const [username, password] of [
      ['alice', 'bob'],
      ['mallory', 'mallory'],
      ['', ''],
    ] as const) {
      const answer = await submitForm(client, await loginPage(), { username, password })
      assert.equal(answer.status, 401)
      assert.match(answer.text(), /Wrong username or password/)
      assert.equal(readForms(answer)[0]?.fields.username, username)
    }
  })

  it('goes on after a wrong password', async () => {
    const { url, expected } = await party.begin()
    const page = await client.followAll(await client.get(url))
    const wrong = await submitForm(client, page, { username: 'alice', password: 'x' })
    const right = await submitForm(client, wrong, { username: 'alice', password: 'alice' })
    const left = await client.followAll(right, ({ origin }) => origin !== provider.issuer.origin)
    const tokens = await party.finish(left.location ?? assert.fail(left.text()), expected)
    assert.equal(tokens.claims()?.preferred_username, 'alice')
  })

  it('tells the client when the person cancels', async () => {
    const { url, expected } = await party.begin()
    const page = await client.followAll(await client.get(url))
    const answer = await submitForm(client, page, { cancel: 'yes' }, () => true)
    const left = await client.followAll(answer, ({ origin }) => origin !== provider.issuer.origin)
    assert.equal(left.location?.searchParams.get('error'), 'access_denied')
    assert.equal(left.location?.searchParams.get('state'), expected.expectedState)
    assert.equal(left.location?.searchParams.get('iss'), provider.issuer.origin)
  })

  it('refuses a request without PKCE', async () => {
    const { url } = await party.begin()
    url.searchParams.delete('code_challenge')
    url.searchParams.delete('code_challenge_method')
    const answer = await client.get(url)
    assert.equal(answer.location?.searchParams.get('error'), 'invalid_request')
  })

  it('answers a sign-in that it does not know with a page that says so', async () => {
    const answer = await client.get(new URL('/sign-in/unknown', provider.issuer))
    assert.equal(answer.status, 400)
    assert.match(answer.text(), /This sign-in has expired/)
  })

  it('signs out with an ID token as hint and sends the browser back', async () => {
    const { tokens } = await signIn('alice')
    const url = openid.buildEndSessionUrl(party.configuration, {
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: testClient.post_logout_redirect_uris[0],
      state: 'back',
    })
    const page = await client.followAll(await client.get(url))
    assert.match(page.text(), /<script src="\/provider.js">/)
    const answer = await submitForm(client, page, { logout: 'yes' }, () => true)
    assert.equal(answer.location?.href, 'http://127.0.0.1:9/signed-out?state=back')
    const silent = await client.get((await party.begin({ prompt: 'none' })).url)
    assert.equal(silent.location?.searchParams.get('error'), 'login_required')
  })

  it('asks before signing out when the hint is missing or names somebody else', async () => {
    const { tokens } = await signIn('bob')
    await signIn('alice', { prompt: 'login' })
    const hints = [{}, { id_token_hint: tokens.id_token ?? '' }]
    for (const hint of hints) {
      const page = await client.get(openid.buildEndSessionUrl(party.configuration, hint))
      assert.match(page.text(), /Do you want to sign out/)
      assert.doesNotMatch(page.text(), /<script/)
    }
    const url = openid.buildEndSessionUrl(party.configuration, {})
    const end = await signOutAtProvider(client, url)
    assert.match(end.text(), /You are signed out/)
  })

  it('changes claims and what a sign-in proves when a test says so', async () => {
    provider.setClaims('bob', { department: 'R&D', email: undefined, email_verified: false })
    provider.setAuthentication({ acr: 'mfa', amr: ['pwd', 'otp'] })
    const { claims } = await signIn('bob')
    provider.setClaims('bob', {})
    provider.setAuthentication({ amr: ['pwd'] })
    assert.equal(claims.department, 'R&D')
    assert.equal(claims.email, undefined)
    assert.equal(claims.email_verified, false)
    assert.equal(claims.acr, 'mfa')
    assert.deepEqual(claims.amr, ['pwd', 'otp'])
    client.clearCookies()
    assert.equal((await signIn('bob')).claims.email, 'bob@example.com')
  })

  it('signs with a new key after a rotation and keeps its sessions', async () => {
    const { tokens } = await signIn('alice')
    await provider.rotateKeys()
    const { url, expected } = await party.begin({ prompt: 'none' })
    const fresh = await createRelyingParty(provider.issuer)
    const callback = (await client.get(url)).location ?? assert.fail('not silent')
    const rotated = await fresh.finish(callback, expected)
    const kidOf = (jwt = '') => decodeProtectedHeader(jwt).kid
    assert.notEqual(kidOf(rotated.id_token), kidOf(tokens.id_token))
  })

  it('registers a client after its start, and counts what is asked of it', async () => {
    provider.putClient({ ...testClient, client_id: 'late', redirect_uris: ['http://127.0.0.1:9/'] })
    const { url } = await party.begin({ client_id: 'late', redirect_uri: 'http://127.0.0.1:9/' })
    const callback = await callbackFromProvider(client, url, 'alice')
    assert.ok(callback.searchParams.has('code'))
    const counted = provider.requestCount('/token')
    await signIn('alice')
    assert.equal(provider.requestCount('/token'), counted + 1)
  })

  it('is down or silent when a test says so, and comes back', async () => {
    const address = new URL('/.well-known/openid-configuration', provider.issuer)
    provider.pause()
    assert.equal((await client.get(address)).status, 503)
    provider.pause('hang')
    const counted = provider.requestCount('/.well-known/openid-configuration')
    const abort = new AbortController()
    const pending = fetch(address, { signal: abort.signal })
    while (provider.requestCount('/.well-known/openid-configuration') === counted) {
      await new Promise(setImmediate)
    }
    provider.resume()
    assert.equal((await client.get(address)).status, 200)
    abort.abort()
    await assert.rejects(pending, { name: 'AbortError' })
  })

  it('says nothing of its own to the console', () => {
    const script = `
      const { startProvider } = await import(${JSON.stringify(PROVIDER)})
      const provider = await startProvider({ port: 0, clients: [], people: [] })
      await fetch(new URL('/.well-known/openid-configuration', provider.issuer))
      await fetch(new URL('/authorize', provider.issuer))
      await provider.close()`
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', script],
      { encoding: 'utf8' },
    )
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' })
  })

  async function loginPage(parameters?: Record<string, string>) {
    return client.followAll(await client.get((await party.begin(parameters)).url))
  }
})
