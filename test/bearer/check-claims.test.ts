import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ClaimsProblem, claimsProblem, endOf } from '../../proxy/bearer/check-claims.ts'
import { NOW } from '../session/session-sample.ts'

const SECONDS = NOW / 1000
const EXPECTED = {
  issuer: 'https://login.example.com',
  audiences: ['a', 'b'],
  isJwt: true,
  isTyped: true,
}
const GOOD = { iss: EXPECTED.issuer, aud: 'a', sub: 's', exp: SECONDS + 300, iat: SECONDS }

type Case = readonly [what: string, changes: object, jwt?: ClaimsProblem, asked?: ClaimsProblem]

const CASES: readonly Case[] = [
  ['as it should be', {}],
  ['for another of our audiences, among others', { aud: ['x', 'b'] }],
  ['of another issuer', { iss: 'https://login.example.com/' }, 'issuer', 'issuer'],
  ['of no issuer', { iss: undefined }, 'issuer'],
  ['for somebody else', { aud: 'x' }, 'audience', 'audience'],
  ['for part of our audience', { aud: ['ab', 'A'] }, 'audience', 'audience'],
  ['for nobody', { aud: undefined }, 'audience', 'audience'],
  ['for an empty list', { aud: [] }, 'audience', 'audience'],
  ['for an object', { aud: { a: 'a' } }, 'audience', 'audience'],
  ['just expired, by a clock that is a little behind', { exp: SECONDS - 59 }],
  ['expired', { exp: SECONDS - 60 }, 'expired', 'expired'],
  ['without an end', { exp: undefined }, 'expired'],
  ['with an end that is text', { exp: String(SECONDS + 300) }, 'expired', 'expired'],
  ['with an end that is null', { exp: null }, 'expired', 'expired'],
  ['that begins in a moment', { nbf: SECONDS + 60 }],
  ['that begins later', { nbf: SECONDS + 61 }, 'not_yet_valid', 'not_yet_valid'],
  ['issued in the future', { iat: SECONDS + 61 }, 'not_yet_valid', 'not_yet_valid'],
  ['that begins at no time', { nbf: 'soon' }, 'not_yet_valid', 'not_yet_valid'],
  ['of DPoP', { cnf: { jkt: 'x' } }, 'bound_to_a_key', 'bound_to_a_key'],
  ['of mutual TLS', { cnf: { 'x5t#S256': 'x' } }, 'bound_to_a_key', 'bound_to_a_key'],
  ['of DPoP by its type', { token_type: 'DPoP' }, 'no_access_token', 'no_access_token'],
  ['that says that it is one', { token_type: 'bearer', typ: 'Bearer', token_use: 'access' }],
  ['an ID token by its nonce', { nonce: 'n' }, 'no_access_token', 'no_access_token'],
  ['an ID token by its at_hash', { at_hash: 'n' }, 'no_access_token', 'no_access_token'],
  ['a logout token', { events: {} }, 'no_access_token', 'no_access_token'],
  ['an ID token by its word', { typ: 'ID' }, 'no_access_token', 'no_access_token'],
  ['an ID token of Cognito', { token_use: 'id' }, 'no_access_token', 'no_access_token'],
  ['a refresh token', { typ: 'Refresh' }, 'no_access_token', 'no_access_token'],
  ['a refresh token in full', { typ: 'refresh_token' }, 'no_access_token', 'no_access_token'],
  ['of nobody', { sub: undefined }, 'no_subject', 'no_subject'],
  ['of an empty subject', { sub: '' }, 'no_subject', 'no_subject'],
]

for (const [what, changes, jwt, asked] of CASES) {
  test(`a token ${what} is ${jwt ?? 'good'} as a JWT and ${asked ?? 'good'} when the provider says so`, () => {
    const claims = { ...GOOD, ...changes }
    assert.equal(claimsProblem(claims, EXPECTED, NOW), jwt)
    assert.equal(claimsProblem(claims, { ...EXPECTED, isJwt: false }, NOW), asked)
  })
}

test('a JWT whose header does not say that it is an access token has to say so by its claims', () => {
  const untyped = { ...EXPECTED, isTyped: false }
  for (const claims of [{}, { azp: 'another-client' }, { roles: ['r'] }]) {
    assert.equal(claimsProblem({ ...GOOD, ...claims }, untyped, NOW), 'no_access_token')
  }
  const marks = [
    { client_id: 'c' },
    { azp: 'c', scope: '' },
    { scp: ['orders.read'] },
    { appid: 'c' },
    { azp: 'c', azpacr: '1' },
    { azp: 'c', gty: 'client-credentials' },
  ]
  for (const claims of marks) {
    assert.equal(claimsProblem({ ...GOOD, ...claims }, untyped, NOW), undefined)
    const both = { ...GOOD, ...claims, nonce: 'n' }
    assert.equal(claimsProblem(both, untyped, NOW), 'no_access_token')
  }
})

test('a token ends when it says, with what clocks may differ', () => {
  assert.equal(endOf({ exp: 100 }), 160_000)
  for (const exp of [undefined, '100', Number.NaN, null]) assert.equal(endOf({ exp }), undefined)
})
