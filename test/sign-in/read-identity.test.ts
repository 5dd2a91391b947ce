import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Config } from '../../proxy/config/config.ts'
import { readSession } from '../../proxy/session/read-session.ts'
import type { SessionIdentity } from '../../proxy/session/transitions.ts'
import { startSession } from '../../proxy/session/transitions.ts'
import { readIdentity } from '../../proxy/sign-in/read-identity.ts'
import { CONFIG, NOW, SECOND } from './parts.ts'

const CLAIMS = { sub: 'subject-1', preferred_username: 'alice' }

function read(claims: Record<string, unknown>, oidc: Partial<Config['oidc']> = {}) {
  return readIdentity(claims, { smsCountries: ['DE'], oidc: { ...CONFIG.oidc, ...oidc } }, NOW)
}

function identityOf(claims: Record<string, unknown>): SessionIdentity {
  const found = read({ ...CLAIMS, ...claims })
  assert.equal(found.kind, 'identity')
  return found.identity
}

describe('claims', () => {
  it('at the least make somebody with a subject, a name and a password', () => {
    assert.deepEqual(read(CLAIMS), {
      kind: 'identity',
      identity: {
        subject: 'subject-1',
        username: 'alice',
        groups: [],
        acr: 'basic',
        amr: [],
        authTime: NOW,
      },
    })
  })

  it('are read in full', () => {
    const claims = {
      name: 'Alice Adams',
      email: 'alice@example.com',
      email_verified: true,
      groups: ['hr', 'staff', 'hr'],
      phone_number: '+4915228817386',
      phone_number_verified: true,
      locale: 'de-AT',
      amr: ['pwd', 'hwk'],
      acr: '1',
      auth_time: (NOW - 60 * SECOND) / 1000,
    }
    assert.deepEqual(identityOf(claims), {
      subject: 'subject-1',
      username: 'alice',
      email: 'alice@example.com',
      name: 'Alice Adams',
      groups: ['hr', 'staff'],
      claimedPhones: ['+4915228817386'],
      locale: 'de-AT',
      acr: 'basic',
      amr: ['pwd', 'hwk'],
      authTime: NOW - 60 * SECOND,
      authTimeGiven: true,
    })
  })

  it('that don’t say when the person signed in give a time of which that is known', () => {
    for (const time of [undefined, null, '1', Number.NaN]) {
      const { authTime, authTimeGiven } = identityOf({ auth_time: time })
      assert.deepEqual([authTime, authTimeGiven], [NOW, undefined])
    }
  })

  it('without a subject or the configured username are named as missing', () => {
    for (const sub of [undefined, '', 7, null, ['subject-1'], 'x'.repeat(257)]) {
      assert.deepEqual(read({ ...CLAIMS, sub }), { kind: 'missing', claim: 'sub' })
    }
    for (const username of [undefined, '', 7, null, {}]) {
      const found = read(
        { ...CLAIMS, 'https://x/uid': username },
        { usernameClaim: 'https://x/uid' as never },
      )
      assert.deepEqual(found, { kind: 'missing', claim: 'https://x/uid' })
    }
  })

  it('make no username of an e-mail address that was not verified', () => {
    const byEmail = { usernameClaim: 'email' as never }
    const claims = { ...CLAIMS, email: 'root@example.com' }
    assert.equal(read({ ...claims, email_verified: true }, byEmail).kind, 'identity')
    assert.equal(read(claims, byEmail).kind, 'identity')
    for (const no of [false, 'false']) {
      const found = read({ ...claims, email_verified: no }, byEmail)
      assert.deepEqual(found, { kind: 'missing', claim: 'email' })
      assert.equal(identityOf({ ...claims, email_verified: no }).email, undefined)
    }
  })

  it('give numbers only if they were verified and can be dialled', () => {
    const phones = (number: unknown, verified: unknown) =>
      identityOf({ phone_number: number, phone_number_verified: verified }).claimedPhones
    assert.deepEqual(phones('+49 1522 8817386', true), ['+4915228817386'])
    assert.deepEqual(phones(['+4915228895456', 'x', '+491713920042'], 'true'), [
      '+4915228895456',
      '+491713920042',
    ])
    for (const not of [false, 'false', undefined, 1, 'TRUE', [true]]) {
      assert.equal(phones('+4915228817386', not), undefined)
    }
    for (const rubbish of ['', 'x', 7, {}, [], [7]]) assert.equal(phones(rubbish, true), undefined)
  })

  it('count as a code by a trusted acr or amr, exactly', () => {
    assert.equal(identityOf({ acr: 'mfa' }).acr, 'twilio_sms')
    assert.equal(identityOf({ amr: ['pwd', 'mfa'] }).acr, 'twilio_sms')
    assert.equal(identityOf({ amr: ['mfa', '', 'x'.repeat(300)] }).acr, 'twilio_sms')
    for (const claims of [
      { acr: 'MFA' },
      { acr: 'mfa ' },
      { acr: ['mfa'] },
      { acr: 'twilio_sms' },
      { amr: ['pwd mfa'] },
      { amr: 'mfa' },
      { amr: [['mfa']] },
      { amr: ['mfa', 7] },
      { amr: ['mfa', null] },
      { amr: { 0: 'mfa', length: 1 } },
      { acr: { mfa: true } },
      { acr: { toString: 'mfa' } },
      { acr: '' },
      { amr: [] },
      { amr: { mfa: 'mfa' } },
      { groups: ['mfa'] },
    ]) {
      assert.equal(identityOf(claims).acr, 'basic', JSON.stringify(claims))
    }
  })

  it('put the sign-in at no time that the clock has not reached', () => {
    assert.equal(identityOf({ auth_time: NOW / 1000 + 500 }).authTime, NOW)
    assert.equal(identityOf({ auth_time: 1.2345 }).authTime, 1234)
    assert.equal(identityOf({ auth_time: -5 }).authTime, 0)
    for (const odd of ['1', null, Number.NaN, Number.POSITIVE_INFINITY, {}]) {
      assert.equal(identityOf({ auth_time: odd }).authTime, NOW)
    }
  })

  it('leaves out groups that do not matter', () => {
    const claims = {
      sub: 's',
      preferred_username: 'alice',
      groups: ['hr', 'HR', 'app-x', 'b app-', 'cn=a, dc=b'],
    }
    for (const [groups, left] of [
      [undefined, claims.groups],
      [
        ['hr', 'app-*'],
        ['hr', 'app-x'],
      ],
      [['*app-*'], ['app-x', 'b app-']],
      [['cn=*,*b'], ['cn=a, dc=b']],
      [['nobody'], []],
    ] as const) {
      const found = read(claims, groups && { groups })
      assert.deepEqual(found.kind === 'identity' && found.identity.groups, left)
    }
  })

  it('of whatever kind make a session that can be read again, or name what is missing', () => {
    const names = fc.constantFrom(
      'sub',
      'preferred_username',
      'email',
      'email_verified',
      'name',
      'groups',
      'phone_number',
      'phone_number_verified',
      'locale',
      'acr',
      'amr',
      'auth_time',
    )
    fc.assert(
      fc.property(fc.dictionary(names, fc.jsonValue()), (odd) => {
        const found = read({ ...CLAIMS, ...odd })
        if (found.kind === 'missing') {
          assert.ok(['sub', 'preferred_username'].includes(found.claim))
          return
        }
        const session = startSession(found.identity, { id: 'i', family: 'f', now: NOW })
        const sealed = JSON.parse(JSON.stringify(session))
        assert.deepEqual(readSession(sealed), sealed)
      }),
    )
  })
})
