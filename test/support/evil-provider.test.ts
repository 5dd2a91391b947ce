import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import * as openid from 'openid-client'
import type { Misbehaviour } from './evil-behaviour.ts'
import { evilPerson } from './evil-endpoints.ts'
import { type EvilProvider, startEvilProvider } from './evil-provider.ts'
import { createRelyingParty, testClient } from './relying-party.ts'

/** What a strict client says to each lie. It proves that the lie is told, and only that one. */
const REFUSED: readonly (readonly [string, Misbehaviour, RegExp])[] = [
  ['another nonce', claim({ nonce: 'other' }), /"nonce" claim/],
  ['no nonce', claim({ nonce: undefined }), /"nonce" .*claim missing/],
  ['another audience', claim({ aud: 'other' }), /"aud".*claim/],
  ['another issuer', claim({ iss: 'http://127.0.0.1:1' }), /"iss".*claim/],
  ['an expired token', claim({ exp: 1, iat: 0 }), /"exp"/],
  ['no expiry', claim({ exp: undefined }), /"exp".*claim missing/],
  ['no iat', claim({ iat: undefined }), /"iat".*claim missing/],
  ['no subject', claim({ sub: undefined }), /"sub".*claim missing/],
  ['alg none', { signing: 'none' }, /"alg"/],
  ['an empty signature', { signing: 'unsigned' }, /signature/],
  ['the signature of other claims', { signing: 'broken' }, /signature/],
  ["a stranger's key", { signing: 'stranger' }, /signature/],
  ['an unknown kid', { signing: 'unknown-kid' }, /no applicable keys/],
  ["HS256 with the client's secret", { signing: 'hs256-secret' }, /"alg"/],
  ['HS256 with the public key', { signing: 'hs256-public-key' }, /"alg"/],
  ['another iss in the callback', callback({ iss: 'http://127.0.0.1:1' }), /"iss"/],
  ['no iss in the callback', callback({ iss: undefined }), /"iss"/],
  ['another state', callback({ state: 'other' }), /"state"/],
  [
    'an error',
    callback({ error: 'access_denied', code: undefined }),
    /authorization response from the server is an error/,
  ],
  ['a code of nobody', callback({ code: 'invented' }), /error in the response body/],
  ['500 from the token endpoint', { answers: { token: { status: 500 } } }, /status code/],
  ['nonsense from the token endpoint', nonsense(), /JSON|content-type/],
  ['a redirect from the token endpoint', redirected(), /status code/],
  ['no ID token', { alterTokenResponse: (response) => delete response.id_token }, /id_token/],
  ['a cut line', { answers: { token: 'reset' } }, /fetch failed|something went wrong/],
  ['keys that do not come', { answers: { jwks: { status: 503 } } }, /status|JSON Web Key Set/],
]

describe('the evil provider', () => {
  let provider: EvilProvider
  before(async () => {
    provider = await startEvilProvider({
      clientId: testClient.client_id,
      clientSecret: testClient.client_secret,
    })
  })
  after(() => provider.close())
  beforeEach(() => provider.behave())

  async function signIn(parameters?: Record<string, string>) {
    const party = await createRelyingParty(provider.issuer)
    const { url, expected } = await party.begin(parameters)
    const answer = await fetch(url, { redirect: 'manual' })
    const location = answer.headers.get('location') ?? assert.fail(`status ${answer.status}`)
    return { party, expected, callback: new URL(location) }
  }

  it('signs its person in when it is honest', async () => {
    const { party, expected, callback } = await signIn()
    const tokens = await party.finish(callback, expected)
    const claims = tokens.claims() ?? assert.fail('no ID token')
    assert.equal(claims.preferred_username, 'alice')
    const info = await openid.fetchUserInfo(party.configuration, tokens.access_token, claims.sub)
    assert.deepEqual(info, evilPerson)
  })

  it('takes a code once, and only with the right verifier', async () => {
    const { party, expected, callback } = await signIn()
    const wrong = { ...expected, pkceCodeVerifier: openid.randomPKCECodeVerifier() }
    await assert.rejects(party.finish(callback, wrong), { error: 'invalid_grant' })
    await assert.rejects(party.finish(callback, expected), { error: 'invalid_grant' })
  })

  for (const [name, misbehaviour, message] of REFUSED) {
    it(`can send ${name}, which a strict client refuses`, async () => {
      const { party, expected, callback } = await signInWith(misbehaviour)
      await assert.rejects(party.finish(callback, expected), (error: Error) => {
        assert.match(messagesOf(error), message)
        return true
      })
    })
  }

  it('can publish a new key, and sign without naming it', async () => {
    await provider.rotateKeys()
    const { party, expected, callback } = await signInWith({ signing: 'no-kid' })
    assert.equal((await party.finish(callback, expected)).claims()?.sub, evilPerson.sub)
  })

  it('can name another person at userinfo', async () => {
    const { party, expected, callback } = await signInWith({
      alterUserinfo: (claims) => Object.assign(claims, { sub: 'other' }),
    })
    const { access_token: accessToken } = await party.finish(callback, expected)
    await assert.rejects(
      openid.fetchUserInfo(party.configuration, accessToken, evilPerson.sub),
      (error: Error) => /"sub"/.test(messagesOf(error)),
    )
  })

  it('can claim to be another issuer in its discovery document', async () => {
    provider.behave({
      alterDiscovery: (metadata) => Object.assign(metadata, { issuer: 'http://x' }),
    })
    await assert.rejects(createRelyingParty(provider.issuer))
  })

  it('can hang, and counts what it was asked', async () => {
    provider.behave({ answers: { discovery: 'hang' } })
    const counted = provider.requestCount('discovery')
    const abort = new AbortController()
    const address = new URL('/.well-known/openid-configuration', provider.issuer)
    const pending = fetch(address, { signal: abort.signal })
    while (provider.requestCount('discovery') === counted) await new Promise(setImmediate)
    abort.abort()
    await assert.rejects(pending, { name: 'AbortError' })
  })

  async function signInWith(misbehaviour: Misbehaviour) {
    provider.behave(misbehaviour)
    return signIn()
  }
})

function claim(changes: Record<string, unknown>): Misbehaviour {
  return { alterIdToken: (claims) => Object.assign(claims, changes) }
}

function callback(changes: Record<string, string | undefined>): Misbehaviour {
  return {
    alterCallback(parameters) {
      for (const [name, value] of Object.entries(changes)) {
        if (value === undefined) parameters.delete(name)
        else parameters.set(name, value)
      }
    },
  }
}

function nonsense(): Misbehaviour {
  const headers = { 'content-type': 'application/json' }
  return { answers: { token: { status: 200, headers, body: '{"access_token":' } } }
}

function redirected(): Misbehaviour {
  return { answers: { token: { status: 302, headers: { location: 'http://127.0.0.1:9/' } } } }
}

function messagesOf(error: Error): string {
  const cause = error.cause instanceof Error ? ` · ${messagesOf(error.cause)}` : ''
  return `${error.message}${cause}`
}
