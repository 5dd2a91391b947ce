import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import { createAssertions } from '../../proxy/assertion/assertions.ts'
import { tokenSession } from '../../proxy/bearer/token-session.ts'
import { decide } from '../../proxy/policy/decide.ts'
import { isSignedInWithin, satisfies } from '../../proxy/policy/satisfies.ts'
import { compileIdentityHeaders } from '../../proxy/upstream/identity-headers.ts'
import { CONFIG, NOW } from '../sign-in/parts.ts'

const SECONDS = NOW / 1000
const HOUR = 3_600
const read = (claims: object) =>
  tokenSession({ sub: 's', iat: SECONDS - HOUR, ...claims }, CONFIG, 'token:x', NOW)

test('a token speaks for whom its claims name', () => {
  const claims = {
    preferred_username: 'alice',
    email: 'alice@example.com',
    groups: ['hr'],
    acr: 'mfa',
    amr: ['pwd', 'hwk'],
    auth_time: SECONDS - 2 * HOUR,
  }
  assert.deepEqual(read(claims), {
    id: 'token:x',
    family: 'token:x',
    subject: 's',
    username: 'alice',
    email: 'alice@example.com',
    groups: ['hr'],
    acr: 'twilio_sms',
    amr: ['pwd', 'hwk'],
    authTime: (SECONDS - 2 * HOUR) * 1000,
    authTimeGiven: true,
    otpTime: (SECONDS - 2 * HOUR) * 1000,
    createdAt: (SECONDS - HOUR) * 1000,
    seenAt: NOW,
  })
})

test('a machine without a username is called by its subject, and its acr proves nothing by itself', () => {
  const session = read({ acr: 'twilio_sms' })
  assert.deepEqual([session?.username, session?.acr], ['s', 'basic'])
})

test('a token that does not say when somebody signed in says nothing about it to the application', () => {
  const told = compileIdentityHeaders(
    [
      { name: 'X-Auth', value: '{auth_time}' },
      { name: 'X-Otp', value: '{otp_time}' },
    ],
    { encoding: 'utf-8' },
  )
  const { mint } = createAssertions(new URL('https://app.example.com'), [
    'the secret of the tests, that is 32 long',
  ])
  const said = (claims: object) => {
    const session = read({ acr: 'mfa', ...claims })
    assert.ok(session)
    return [told(session), decodeJwt(mint(session, NOW)).auth_time]
  }
  for (const auth_time of [undefined, null, 'x', Number.NaN]) {
    assert.deepEqual(said({ auth_time }), [[], undefined], String(auth_time))
  }
  const time = SECONDS - HOUR
  assert.deepEqual(said({ auth_time: time }), [['X-Auth', `${time}`, 'X-Otp', `${time}`], time])
})

test('a token that does not say when somebody signed in satisfies no max_age and no signed_in_within', () => {
  const session = read({ acr: 'mfa' })
  assert.ok(session)
  assert.ok(satisfies(session, {}, NOW))
  assert.ok(!satisfies(session, { maxAge: 10 * 365 * 24 * HOUR * 1000 }, NOW))
  for (const auth_time of [undefined, null, 'x', Number.NaN]) {
    const undated = read({ auth_time, iat: SECONDS })
    assert.ok(undated && !isSignedInWithin(undated, HOUR * 1000, NOW), String(auth_time))
  }
  const dated = read({ acr: 'mfa', auth_time: SECONDS - 60 })
  assert.ok(dated && isSignedInWithin(dated, HOUR * 1000, NOW))
  assert.ok(dated && satisfies(dated, { maxAge: 61_000 }, NOW))
  assert.ok(dated && !satisfies(dated, { maxAge: 59_000 }, NOW))
})

test('a token without a subject speaks for nobody', () => {
  assert.equal(read({ sub: undefined }), undefined)
  assert.equal(read({ sub: 'x'.repeat(300), preferred_username: 'alice' }), undefined)
})

test('whatever the issue time, the rules take the session for one of now', () => {
  for (const iat of [undefined, 'x', SECONDS + 60, SECONDS - HOUR, 1.5]) {
    const session = read({ iat })
    const asked = { method: 'GET', hosts: ['h'], paths: ['/'] } as const
    assert.deepEqual(decide([], 'basic', session, asked, NOW), { kind: 'forward' })
  }
})
