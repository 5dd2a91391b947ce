import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocalJWKSet, decodeJwt, type JWTPayload, jwtVerify } from 'jose'
import { createAssertions, withAssertion } from '../../proxy/assertion/assertions.ts'
import { stepUp, touch } from '../../proxy/session/transitions.ts'
import { NOW, sampleSession } from '../session/session-sample.ts'

const URL_OF_APP = new URL('https://app.example.com')
const SECOND = 1000
const open = () => createAssertions(URL_OF_APP, ['the secret of the tests, that is 32 long'])

test('an assertion is a JWT for the public URL, of who is asking and what was proved', async () => {
  const assertions = open()
  const session = sampleSession()
  const token = assertions.mint(session, NOW + 999)
  const { payload, protectedHeader } = await jwtVerify(
    token,
    createLocalJWKSet({ keys: [...assertions.published(NOW)] }),
    {
      algorithms: ['ES256'],
      audience: 'https://app.example.com',
      issuer: 'https://app.example.com',
      currentDate: new Date(NOW),
    },
  )
  assert.deepEqual(payload, {
    iss: 'https://app.example.com',
    aud: 'https://app.example.com',
    iat: NOW / 1000,
    exp: NOW / 1000 + 60,
    sub: 'subject-1',
    preferred_username: 'alice',
    acr: 'twilio_sms',
    amr: ['pwd', 'sms', 'otp', 'mfa'],
    auth_time: (NOW - 3_600_000) / 1000,
    groups: ['hr', 'admins'],
  } satisfies JWTPayload)
  assert.equal(protectedHeader.typ, 'JWT')
})

test('one lives for a minute, and is sent while ten seconds of that are left', () => {
  const { mint } = open()
  const session = sampleSession()
  const minted = new Set<string>()
  for (let now = NOW + 900; now < NOW + 600 * SECOND; now += 100) {
    const token = mint(session, now)
    minted.add(token)
    const { exp = 0, iat = 0 } = decodeJwt(token)
    assert.equal(exp - iat, 60)
    assert.ok(exp * SECOND - now >= 10 * SECOND, 'too little of its life is left')
    assert.ok(iat * SECOND <= now, 'it is of the future')
  }
  assert.equal(minted.size, 12)
})

test('a session whose cookie was written again keeps its assertion', () => {
  const { mint } = open()
  const session = sampleSession()
  const token = mint(session, NOW)
  const again = touch(session, NOW + SECOND)
  assert.equal(mint(again, NOW + SECOND), token)
  assert.equal(mint(structuredClone(again), NOW + SECOND), token)
  assert.equal(mint(session, NOW + 2 * SECOND), token)
})

test('what has changed about a session is said at once', () => {
  const { mint } = open()
  const session = sampleSession({ acr: 'basic', amr: ['pwd'] })
  mint(session, NOW)
  const proved = stepUp(session, { id: 'other', method: 'sms', now: NOW })
  assert.equal(decodeJwt(mint(proved, NOW)).acr, 'twilio_sms')
  assert.equal(decodeJwt(mint(session, NOW)).acr, 'basic')
  const changes = [
    { groups: [] },
    { subject: 'b' },
    { username: 'b' },
    { amr: [] },
    { authTime: 1 },
  ]
  for (const change of changes) {
    const token = mint({ ...session, ...change }, NOW)
    assert.deepEqual(decodeJwt(token), decodeJwt(open().mint({ ...session, ...change }, NOW)))
  }
})

test('a clock that went back makes no assertion live longer', () => {
  const { mint } = open()
  const token = mint(sampleSession(), NOW)
  assert.notEqual(mint(sampleSession(), NOW - SECOND), token)
})

test('it stands behind the other headers of a session, and nobody has one', () => {
  const identityOf = (session: unknown) => (session === undefined ? [] : ['X-Who', 'alice'])
  const headersOf = withAssertion(identityOf, { mint: () => 'signed', published: () => [] })
  assert.deepEqual(headersOf(sampleSession(), NOW), [
    'X-Who',
    'alice',
    'X-Stepgate-Assertion',
    'signed',
  ])
  assert.deepEqual(headersOf(undefined, NOW), [])
  assert.equal(withAssertion(identityOf, undefined), identityOf)
})
