import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Session } from '../../proxy/session/session.ts'
import { compileIdentityHeaders } from '../../proxy/upstream/identity-headers.ts'

const alice: Session = {
  id: 'i',
  family: 'f',
  subject: 'auth0|123',
  username: 'alice',
  email: 'alice@example.com',
  name: 'Alice Ångström',
  groups: ['hr', 'admins'],
  acr: 'twilio_sms',
  amr: ['pwd', 'sms', 'otp', 'mfa'],
  authTime: 1_700_000_000_999,
  otpTime: 1_700_000_600_500,
  createdAt: 1_700_000_000_999,
  seenAt: 1_700_000_000_999,
}

function render(
  value: string,
  session: Session | undefined = alice,
  encoding: 'utf-8' | 'percent' = 'utf-8',
  secret?: string,
): readonly string[] {
  const options = secret === undefined ? { encoding } : { encoding, secret }
  return compileIdentityHeaders([{ name: 'X-Test', value }], options)(session)
}

function utf8(latin1: string | undefined): string {
  return Buffer.from(latin1 ?? '', 'latin1').toString('utf8')
}

const plain: [template: string, value: string][] = [
  ['{username}', 'alice'],
  ['{email}', 'alice@example.com'],
  ['{groups}', 'hr,admins'],
  ['{subject}', 'auth0|123'],
  ['{acr}', 'twilio_sms'],
  ['{amr}', 'pwd,sms,otp,mfa'],
  ['{auth_time}', '1700000000'],
  ['{otp_time}', '1700000600'],
  ['user={username}; acr={acr}', 'user=alice; acr=twilio_sms'],
  ['constant', 'constant'],
]
for (const [template, value] of plain) {
  test(`${template} is sent as ${value}`, () => {
    assert.deepEqual(render(template), ['X-Test', value])
  })
}

test('without a session no header is sent, not even a constant one', () => {
  const headers = compileIdentityHeaders([{ name: 'X-Test', value: 'constant' }], {
    encoding: 'utf-8',
  })
  assert.deepEqual(headers(undefined), [])
})

test('a time of a code that is not known is not told', () => {
  assert.deepEqual(render('{otp_time}', { ...alice, otpTime: 0 }), [])
})

test('a header is left out when all of its placeholders are empty, and sent when one is not', () => {
  const { email: _, name: __, ...rest } = alice
  const nobody: Session = { ...rest, groups: [] }
  assert.deepEqual(render('{email}', nobody), [])
  assert.deepEqual(render('{email}{name}{groups}', nobody), [])
  assert.deepEqual(render('Basic {email}', nobody), [])
  assert.deepEqual(render('{email}{username}', nobody), ['X-Test', 'alice'])
  assert.deepEqual(render('mail={email}', nobody), ['X-Test', 'mail='])
})

test('Basic credentials are the base64 of their UTF-8', () => {
  const [, value = ''] = render('Basic {username}:{secret}', alice, 'percent', 'pässword:1')
  assert.equal(value.slice(0, 6), 'Basic ')
  assert.equal(Buffer.from(value.slice(6), 'base64').toString(), 'alice:pässword:1')
})

test('a colon in a claim does not move the end of the Basic user name', () => {
  const [, value = ''] = render('Basic {username}:{secret}', { ...alice, username: 'admin:x\r\n' })
  assert.equal(Buffer.from(value.slice(6), 'base64').toString(), 'admin%3Ax%0D%0A:')
})

test('text beyond ASCII is sent as UTF-8 bytes or percent-encoded, as configured', () => {
  assert.equal(utf8(render('Ü {name}')[1]), 'Ü Alice Ångström')
  assert.equal(render('{name}', alice, 'percent')[1], 'Alice %C3%85ngstr%C3%B6m')
  assert.equal(render('50% Ü {name}', alice, 'percent')[1], '50% %C3%9C Alice %C3%85ngstr%C3%B6m')
  assert.equal(render('{name}', { ...alice, name: '100%' }, 'percent')[1], '100%25')
  assert.equal(render('{name}', { ...alice, name: '100%' })[1], '100%')
  assert.equal(utf8(render('{name}', { ...alice, name: '😀\ud800' })[1]), '😀\ufffd')
  assert.equal(render('{name}', { ...alice, name: '\ud800' }, 'percent')[1], '%EF%BF%BD')
})

test('a comma in a group does not make two groups of one', () => {
  const session = { ...alice, groups: ['a,admins', '', 'b'] }
  assert.equal(render('{groups}', session)[1], 'a%2Cadmins,b')
  assert.equal(render('{groups}', session, 'percent')[1], 'a%2Cadmins,b')
})

test('spaces at the ends of a claim are kept visible, so that no recipient trims them away', () => {
  assert.equal(render('{username}', { ...alice, username: ' alice  ' })[1], '%20alice%20%20')
  assert.equal(render('{groups}', { ...alice, groups: [' admins', 'a b'] })[1], '%20admins,a b')
})

test('control characters are percent-encoded once, in either encoding', () => {
  const session = { ...alice, username: 'a\r\nX-Admin: 1\0\u007f\u0085\u2028\t' }
  const encoded = 'a%0D%0AX-Admin: 1%00%7F%C2%85%E2%80%A8%09'
  assert.equal(render('{username}', session)[1], encoded)
  assert.equal(render('{username}', session, 'percent')[1], encoded)
  assert.equal(render('{secret}', alice, 'utf-8', 'a\nb')[1], 'a%0Ab')
})

test('whatever a claim holds, the value is one line of latin1 without control characters', () => {
  const text = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(
      text,
      fc.array(text),
      fc.constantFrom('utf-8', 'percent'),
      (a, groups, encoding) => {
        const session = { ...alice, username: a, email: a, groups }
        for (const template of ['{username}', 'x {groups} {email}', 'Basic {username}:{groups}']) {
          const value = render(template, session, encoding)[1] ?? ''
          assert.match(value, /^[\x20-\x7e\x80-\xff]*$/)
          if (encoding === 'percent') assert.match(value, /^[\x20-\x7e]*$/)
        }
        if (encoding === 'percent' && a !== '') {
          const value = render('{username}', session, encoding)[1] ?? ''
          assert.equal(decodeURIComponent(value), a.toWellFormed())
        }
      },
    ),
  )
})

test('headers are made once for a session object and anew for another', () => {
  const headers = compileIdentityHeaders([{ name: 'X-Test', value: '{username}' }], {
    encoding: 'utf-8',
  })
  assert.equal(headers(alice), headers(alice))
  assert.deepEqual(headers({ ...alice, username: 'bob' }), ['X-Test', 'bob'])
})
