import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { createClient } from '../support/cookie-jar.ts'
import type { Misbehaviour } from '../support/evil-behaviour.ts'
import { type EvilProvider, startEvilProvider } from '../support/evil-provider.ts'
import { testClient } from '../support/relying-party.ts'
import { startWorld, type World } from '../support/world.ts'
import { acrOf, at, reached, SESSION, wayOn } from './steps.ts'

type Expected = { readonly status: number; readonly reason: string; readonly code: string }

const invalid = (code: string): Expected => ({ status: 400, reason: 'invalid', code })
const unavailable = (code: string): Expected => ({ status: 503, reason: 'unavailable', code })

const HOUR_AGO = Math.floor(Date.now() / 1000) - 3600

/** What a provider, or somebody between, may try. */
const LIES: readonly (readonly [string, Misbehaviour, Expected])[] = [
  ['another nonce', claim({ nonce: 'other' }), invalid('OAUTH_JWT_CLAIM_COMPARISON_FAILED')],
  ['no nonce', claim({ nonce: undefined }), invalid('OAUTH_INVALID_RESPONSE')],
  ['another audience', claim({ aud: 'other' }), invalid('OAUTH_JWT_CLAIM_COMPARISON_FAILED')],
  [
    'us among two audiences, meant for the other',
    claim({ aud: ['o', testClient.client_id], azp: 'o' }),
    invalid('OAUTH_JWT_CLAIM_COMPARISON_FAILED'),
  ],
  [
    'another issuer',
    claim({ iss: 'http://127.0.0.1:1' }),
    invalid('OAUTH_JWT_CLAIM_COMPARISON_FAILED'),
  ],
  [
    'an expired token',
    claim({ exp: HOUR_AGO, iat: HOUR_AGO - 60 }),
    invalid('OAUTH_JWT_TIMESTAMP_CHECK_FAILED'),
  ],
  ['no expiry', claim({ exp: undefined }), invalid('OAUTH_INVALID_RESPONSE')],
  [
    'a token that is not valid yet',
    claim({ nbf: HOUR_AGO + 7200 }),
    invalid('OAUTH_JWT_TIMESTAMP_CHECK_FAILED'),
  ],
  ['no subject', claim({ sub: undefined }), invalid('OAUTH_INVALID_RESPONSE')],
  ['alg none', { signing: 'none' }, invalid('OAUTH_INVALID_RESPONSE')],
  ['an empty signature', { signing: 'unsigned' }, invalid('OAUTH_INVALID_RESPONSE')],
  ['the signature of other claims', { signing: 'broken' }, invalid('OAUTH_INVALID_RESPONSE')],
  ["a stranger's key", { signing: 'stranger' }, invalid('OAUTH_INVALID_RESPONSE')],
  ['an unknown kid', { signing: 'unknown-kid' }, invalid('OAUTH_KEY_SELECTION_FAILED')],
  [
    "HS256 with the client's secret",
    { signing: 'hs256-secret' },
    invalid('OAUTH_INVALID_RESPONSE'),
  ],
  ['HS256 with the public key', { signing: 'hs256-public-key' }, invalid('OAUTH_INVALID_RESPONSE')],
  [
    'another iss in the callback',
    callback({ iss: 'http://127.0.0.1:1' }),
    invalid('OAUTH_INVALID_RESPONSE'),
  ],
  [
    'no iss in the callback, which was promised',
    callback({ iss: undefined }),
    invalid('OAUTH_INVALID_RESPONSE'),
  ],
  [
    'two codes',
    { alterCallback: (query) => query.append('code', 'second') },
    invalid('OAUTH_INVALID_RESPONSE'),
  ],
  ['a code of nobody', callback({ code: 'invented' }), invalid('invalid_grant')],
  ['no code', callback({ code: undefined }), invalid('OAUTH_INVALID_RESPONSE')],
  [
    'a token where implicit flow has one',
    callback({ code: undefined, id_token: 'a.b.c' }),
    invalid('OAUTH_UNSUPPORTED_OPERATION'),
  ],
  [
    'no ID token',
    { alterTokenResponse: (response) => delete response.id_token },
    invalid('OAUTH_INVALID_RESPONSE'),
  ],
  [
    'an ID token that is none',
    { alterTokenResponse: (r) => Object.assign(r, { id_token: 'a.b.c' }) },
    unavailable('OAUTH_PARSE_ERROR'),
  ],
  [
    'an error that only calls itself a code',
    { answers: { token: badRequest() } },
    invalid('other'),
  ],
  [
    'another person at userinfo',
    otherAtUserinfo(),
    invalid('OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED'),
  ],
  [
    '500 from the token endpoint',
    { answers: { token: { status: 500 } } },
    unavailable('OAUTH_RESPONSE_IS_NOT_CONFORM'),
  ],
  [
    'nonsense from the token endpoint',
    { answers: { token: json('{"access_token":') } },
    unavailable('OAUTH_PARSE_ERROR'),
  ],
  [
    'a redirect from the token endpoint',
    redirected(),
    unavailable('OAUTH_RESPONSE_IS_NOT_CONFORM'),
  ],
  ['a cut line', { answers: { token: 'reset' } }, unavailable('TypeError')],
  [
    'keys that do not come',
    { answers: { jwks: { status: 503 } } },
    unavailable('OAUTH_RESPONSE_IS_NOT_CONFORM'),
  ],
  [
    'keys that are none',
    { answers: { jwks: json('{"keys":7}') } },
    invalid('OAUTH_INVALID_RESPONSE'),
  ],
  [
    'userinfo that is down',
    { ...noGroups(), answers: { userinfo: { status: 503 } } },
    unavailable('OAUTH_RESPONSE_IS_NOT_CONFORM'),
  ],
]

describe('a provider that lies', () => {
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
  afterEach(() => evil.behave())

  it('signs its person in while it is honest', async () => {
    const browser = createClient()
    const page = await browser.followAll(await browser.get(at(world, '/basic')))
    assert.equal(page.status, 200)
    assert.equal(page.url.pathname, '/basic')
    assert.equal(await acrOf(world, browser), 'basic')
  })

  for (const [name, misbehaviour, expected] of LIES) {
    it(`is not believed: ${name}`, async () => {
      const browser = createClient()
      const [logged, asked] = [world.logs().length, reached(world)]
      evil.behave(misbehaviour)
      // The keys of the sign-in before would do for a moment.
      await evil.rotateKeys()
      const page = await browser.followAll(await browser.get(at(world, '/basic?from=mail')))

      assert.equal(page.url.pathname, '/_stepgate/callback')
      assert.equal(page.status, expected.status)
      assert.deepEqual(page.headers.getSetCookie(), [])
      assert.equal(browser.cookies(world.url)[SESSION], undefined)
      assert.equal(await acrOf(world, browser), undefined)
      assert.equal(reached(world), asked)

      const lines = world.logs().slice(logged)
      const failed = lines.filter(({ event }) => event === 'sign_in.failed')
      assert.deepEqual(
        failed.map(({ reason, code }) => ({ reason, code })),
        [{ reason: expected.reason, code: expected.code }],
      )
      assert.equal(
        lines.some(({ event }) => event === 'sign_in.succeeded'),
        false,
      )
      const text = JSON.stringify(lines)
      assert.doesNotMatch(text, /eyJ/)
      for (const secret of ['code', 'state']) {
        const value = page.url.searchParams.get(secret)
        assert.equal(value !== null && text.includes(value), false, secret)
      }

      evil.behave()
      const again = await browser.followAll(await browser.get(wayOn(page)))
      assert.equal(again.url.href, at(world, '/basic?from=mail').href)
      assert.equal(again.status, 200)
    })
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

function json(body: string, status = 200) {
  return { status, headers: { 'content-type': 'application/json' }, body }
}

function badRequest() {
  return json(JSON.stringify({ error: 'eyJhbGciOiJSUzI1NiJ9 eyJzdWIiOiJ4In0' }), 400)
}

function redirected(): Misbehaviour {
  return { answers: { token: { status: 302, headers: { location: 'http://127.0.0.1:9/' } } } }
}

function noGroups(): Misbehaviour {
  return { alterIdToken: (claims) => delete claims.groups }
}

function otherAtUserinfo(): Misbehaviour {
  return { ...noGroups(), alterUserinfo: (claims) => Object.assign(claims, { sub: 'other' }) }
}
