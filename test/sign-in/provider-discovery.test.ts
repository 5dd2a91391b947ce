import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProviderUnknownError } from '../../proxy/sign-in/provider.ts'
import type { Misbehaviour } from '../support/evil-behaviour.ts'
import {
  authorization,
  discovery,
  json,
  known,
  metadata,
  REDIRECT_URI,
  SHORT,
  SIGNED_OUT,
  until,
  withEvilProvider,
} from './open-provider.ts'

describe('discovery', { timeout: 20_000 }, () => {
  const { evil, openEvil, redeemFrom } = withEvilProvider()

  const UNUSABLE: readonly (readonly [string, Misbehaviour, object])[] = [
    [
      'another issuer',
      metadata({ issuer: 'http://127.0.0.1:1' }),
      { code: 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED' },
    ],
    ['no issuer', metadata({ issuer: undefined }), { code: 'OAUTH_INVALID_RESPONSE' }],
    [
      'no endpoint to sign in at',
      metadata({ authorization_endpoint: undefined }),
      unusable('authorization_endpoint'),
    ],
    [
      'a script to sign in at',
      metadata({ authorization_endpoint: 'javascript:alert(1)' }),
      unusable('authorization_endpoint'),
    ],
    ['no endpoint for tokens', metadata({ token_endpoint: undefined }), unusable('token_endpoint')],
    [
      'an endpoint that is no URL',
      metadata({ token_endpoint: 'nonsense' }),
      unusable('token_endpoint'),
    ],
    ['an endpoint that is no text', metadata({ jwks_uri: 7 }), unusable('jwks_uri')],
    ['half of a document', discovery(json('{"issuer":')), { code: 'OAUTH_PARSE_ERROR' }],
    ['a list', discovery(json('[]')), { code: 'OAUTH_INVALID_RESPONSE' }],
    [
      'a page',
      discovery({ status: 200, headers: { 'content-type': 'text/html' }, body: '<p>' }),
      { code: 'OAUTH_RESPONSE_IS_NOT_JSON' },
    ],
    ['an error', discovery({ status: 500 }), { code: 'OAUTH_RESPONSE_IS_NOT_CONFORM' }],
    [
      'a redirect',
      discovery({ status: 302, headers: { location: '/jwks' } }),
      { code: 'OAUTH_RESPONSE_IS_NOT_CONFORM' },
    ],
    ['a cut line', discovery('reset'), { code: 'TypeError' }],
    ['silence', discovery('hang'), { code: 'OAUTH_TIMEOUT' }],
  ]

  for (const [name, misbehaviour, reason] of UNUSABLE) {
    it(`by ${name} at discovery is unknown, until it answers rightly`, async () => {
      evil().behave(misbehaviour)
      const { provider, lines } = openEvil({ timeout: name === 'silence' ? SHORT : 5000 })
      provider.start()
      await until(() => lines.length > 0)
      const [{ message, fields } = assert.fail()] = lines
      assert.match(message, /can not be discovered/)
      const { code, cause } = fields as { code?: string; cause?: string }
      assert.partialDeepStrictEqual({ code, cause }, reason)
      assert.equal(provider.isKnown(), false)
      assert.equal(provider.canSignOut(), false)
      assert.equal(provider.endSessionUrl('x', SIGNED_OUT), undefined)
      await assert.rejects(authorization(provider), ProviderUnknownError)
      assert.equal((await provider.check(REDIRECT_URI)).kind, 'problem')

      if (name !== 'another issuer') return
      evil().behave()
      await until(provider.isKnown)
      assert.equal((await redeemFrom(provider)).kind, 'signed-in')
    })
  }

  it('is asked no more after the end', async () => {
    evil().behave(discovery({ status: 500 }))
    const { provider, lines } = openEvil()
    provider.start()
    provider.close()
    const asked = evil().requestCount('discovery')
    await until(() => evil().requestCount('discovery') > asked)
    assert.equal((await provider.check(REDIRECT_URI)).kind, 'problem')
    assert.deepEqual(lines, [])
  })

  it('signs nobody out where its page for that is missing or no page', async () => {
    for (const end of [undefined, 'nonsense', 'javascript:alert(1)', 7]) {
      evil().behave(metadata({ end_session_endpoint: end }))
      const provider = await known(openEvil().provider)
      assert.equal(provider.canSignOut(), false)
      assert.equal(provider.endSessionUrl('x', SIGNED_OUT), undefined)
    }
  })

  it('writes nothing into the log but codes', async () => {
    evil().behave(discovery(json(JSON.stringify({ issuer: 'canary-of-a-document' }))))
    const { provider, lines } = openEvil()
    provider.start()
    await until(() => lines.length > 0)
    assert.doesNotMatch(JSON.stringify(lines), /canary/)
  })
})

function unusable(endpoint: string) {
  return { code: 'unusable_metadata', cause: endpoint }
}
