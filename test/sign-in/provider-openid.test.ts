import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { demoPeople } from '../../demo/people.ts'
import { type DemoProvider, startProvider } from '../../demo/provider.ts'
import type { Provider } from '../../proxy/sign-in/provider.ts'
import { createProvider } from '../../proxy/sign-in/provider-openid.ts'
import { createClient } from '../support/cookie-jar.ts'
import { startEvilProvider } from '../support/evil-provider.ts'
import { testClient } from '../support/relying-party.ts'
import { callbackFromProvider } from '../support/sign-in.ts'
import {
  authorization,
  EXPECTED,
  known,
  metadata,
  noGroups,
  open,
  REDIRECT_URI,
  SHORT,
  SIGNED_OUT,
  settingsFor,
  withEvilProvider,
} from './open-provider.ts'
import { keptLog } from './parts.ts'

describe('a certified provider', { timeout: 20_000 }, () => {
  let demo: DemoProvider
  let provider: Provider
  before(async () => {
    demo = await startProvider({ port: 0, clients: [testClient], people: demoPeople })
    provider = await known(open(demo.issuer).provider)
  })
  after(async () => {
    provider.close()
    await demo.close()
  })

  it('is asked for a code with PKCE, state, nonce, scopes and languages', async () => {
    const url = await provider.authorizationUrl({
      redirectUri: REDIRECT_URI,
      ...EXPECTED,
      uiLocales: 'de en',
    })
    assert.equal(url.origin + url.pathname, `${demo.issuer.origin}/authorize`)
    const { code_challenge: challenge, ...rest } = Object.fromEntries(url.searchParams)
    assert.match(challenge ?? '', /^[\w-]{43}$/)
    assert.deepEqual(rest, {
      client_id: testClient.client_id,
      redirect_uri: REDIRECT_URI.href,
      response_type: 'code',
      scope: 'openid profile email',
      state: 'the-state',
      nonce: 'the-nonce',
      code_challenge_method: 'S256',
      ui_locales: 'de en',
    })
    assert.equal((await authorization(provider)).searchParams.has('ui_locales'), false)
  })

  it('gives a person once for a code', async () => {
    const callback = await callbackFromProvider(
      createClient(),
      await authorization(provider),
      'alice',
    )
    const redeemed = await provider.redeem(callback, EXPECTED)
    assert.equal(redeemed.kind, 'signed-in')
    const { claims, idToken } = redeemed
    assert.equal(claims.preferred_username, 'alice')
    assert.equal(claims.email, 'alice@example.com')
    assert.deepEqual(claims.groups, ['hr', 'staff'])
    assert.equal(idToken.split('.').length, 3)
    const again = await provider.redeem(callback, EXPECTED)
    assert.deepEqual(again, { kind: 'invalid', code: 'invalid_grant' })
  })

  it('gives nobody for what was not expected', async () => {
    for (const changes of [{ state: 'x' }, { nonce: 'x' }, { codeVerifier: 'x'.repeat(43) }]) {
      const callback = await callbackFromProvider(
        createClient(),
        await authorization(provider),
        'alice',
      )
      const redeemed = await provider.redeem(callback, { ...EXPECTED, ...changes })
      assert.equal(redeemed.kind, 'invalid', JSON.stringify(changes))
    }
  })

  it('says no in its own words', async () => {
    const callback = new URL(REDIRECT_URI)
    callback.search = `${new URLSearchParams({
      error: 'access_denied',
      error_description: 'Not today',
      state: EXPECTED.state,
      iss: demo.issuer.origin,
    })}`
    const refused = { kind: 'refused', error: 'access_denied', description: 'Not today' }
    assert.deepEqual(await provider.redeem(callback, EXPECTED), refused)
    callback.searchParams.delete('error_description')
    const wordless = { kind: 'refused', error: 'access_denied' }
    assert.deepEqual(await provider.redeem(callback, EXPECTED), wordless)
    callback.searchParams.set('state', 'of somebody else')
    assert.equal((await provider.redeem(callback, EXPECTED)).kind, 'invalid')
  })

  it('is where people are sent to sign out', () => {
    assert.equal(provider.canSignOut(), true)
    const url = provider.endSessionUrl('the.id.token', SIGNED_OUT) ?? assert.fail()
    assert.equal(url.origin + url.pathname, `${demo.issuer.origin}/sign-out`)
    assert.equal(url.searchParams.get('id_token_hint'), 'the.id.token')
    assert.equal(url.searchParams.get('post_logout_redirect_uri'), SIGNED_OUT.href)
    assert.equal(url.searchParams.get('client_id'), testClient.client_id)
    const unnamed = provider.endSessionUrl(undefined, SIGNED_OUT) ?? assert.fail()
    assert.equal(unnamed.searchParams.has('id_token_hint'), false)
  })
})

describe('a provider that fails', { timeout: 20_000 }, () => {
  const { evil, opened, openEvil, redeemFrom } = withEvilProvider()

  it('by silence at the token endpoint or the keys keeps nobody waiting for ever', async () => {
    for (const endpoint of ['token', 'jwks', 'userinfo'] as const) {
      evil().behave()
      const provider = await known(openEvil({ timeout: SHORT }).provider)
      evil().behave({ ...noGroups(), answers: { [endpoint]: 'hang' } })
      assert.deepEqual(await redeemFrom(provider), { kind: 'unavailable', code: 'OAUTH_TIMEOUT' })
    }
  })

  it('with new keys is believed at once', async () => {
    const provider = await known(openEvil().provider)
    for (let times = 0; times < 3; times++) {
      assert.equal((await redeemFrom(provider)).kind, 'signed-in')
      await evil().rotateKeys()
    }
    evil().behave({ signing: 'stranger' })
    assert.equal((await redeemFrom(provider)).kind, 'invalid')
  })

  it('is asked for userinfo when the ID token lacks something, and not otherwise', async () => {
    const provider = await known(openEvil().provider)
    const asked = evil().requestCount('userinfo')
    await redeemFrom(provider)
    assert.equal(evil().requestCount('userinfo'), asked)
    const missing = ['groups', 'name', 'email', 'email_verified', 'preferred_username']
    for (const [index, claim] of missing.entries()) {
      evil().behave({ alterIdToken: (claims) => delete claims[claim] })
      assert.equal((await redeemFrom(provider)).kind, 'signed-in')
      assert.equal(evil().requestCount('userinfo'), asked + index + 1, claim)
    }
    evil().behave()
    const withPhone = await known(openEvil({ scopes: ['openid', 'phone'] }).provider)
    evil().behave({ alterUserinfo: (claims) => Object.assign(claims, { phone_number: '+491' }) })
    const redeemed = await redeemFrom(withPhone)
    assert.equal(redeemed.kind === 'signed-in' && redeemed.claims.phone_number, '+491')
  })

  it('can’t say by userinfo who somebody is or how she signed in', async () => {
    const provider = await known(openEvil().provider)
    evil().behave({
      alterIdToken(claims) {
        for (const claim of ['groups', 'amr', 'auth_time']) delete claims[claim]
      },
      alterUserinfo(claims) {
        const how = { acr: 'mfa', amr: ['mfa'], auth_time: 1, sid: 'other' }
        Object.assign(claims, { preferred_username: 'root', ...how })
      },
    })
    const redeemed = await redeemFrom(provider)
    assert.equal(redeemed.kind, 'signed-in')
    const { preferred_username: username, groups, acr, amr, auth_time: time } = redeemed.claims
    assert.deepEqual(
      [username, groups, acr, amr, time],
      ['alice', ['staff'], undefined, undefined, undefined],
    )
    assert.equal(redeemed.claims.sid, undefined)
  })

  it('gets a secret of any characters unharmed, in the header or in the form', async () => {
    const clientSecret = 'a:b%c d+e/f&g=canary-of-forty-characters'
    const other = await startEvilProvider({ clientId: testClient.client_id, clientSecret })
    try {
      for (const method of ['client_secret_basic', 'client_secret_post']) {
        other.behave(metadata({ token_endpoint_auth_methods_supported: [method] }))
        const settings = settingsFor(other.issuer)
        const provider = await known(createProvider(settings, clientSecret, keptLog().log))
        opened.push(provider)
        assert.equal((await redeemFrom(provider)).kind, 'signed-in', method)
        const wrong = await known(createProvider(settings, `${clientSecret}x`, keptLog().log))
        opened.push(wrong)
        assert.deepEqual(await redeemFrom(wrong), { kind: 'invalid', code: 'invalid_client' })
      }
    } finally {
      await other.close()
    }
  })
})
