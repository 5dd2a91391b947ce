import assert from 'node:assert/strict'
import { test } from 'node:test'
import twilio from 'twilio'
import { signCallback } from '../../demo/twilio-callbacks.ts'
import { createSignatureCheck } from '../../proxy/sms/twilio-signature.ts'

const URL_OF_OURS = 'https://app.example.com/_stepgate/twilio/status'
const TOKEN = 'the-auth-token'
const form = (status = 'delivered') =>
  new URLSearchParams({ MessageStatus: status, MessageSid: `SM${'0a'.repeat(16)}`, To: '+49 ß' })
const check = createSignatureCheck(TOKEN, new URL(URL_OF_OURS))

test('takes what Twilio has signed with the token for our address', () => {
  assert.equal(check(signCallback(TOKEN, URL_OF_OURS, form()), form()), true)
})

test("takes the example of Twilio's documentation", () => {
  const example = createSignatureCheck(
    '12345',
    new URL('https://example.com/myapp.php?foo=1&bar=2'),
  )
  const fields = new URLSearchParams({
    Digits: '1234',
    To: '+18005551212',
    From: '+14158675310',
    Caller: '+14158675310',
    CallSid: 'CA1234567890ABCDE',
  })
  assert.equal(example('L/OH5YylLD5NRKLltdqwSvS0BnU=', fields), true)
})

test('takes nothing else', () => {
  const good = signCallback(TOKEN, URL_OF_OURS, form())
  const refused: [string, string | undefined, URLSearchParams][] = [
    ['no signature', undefined, form()],
    ['an empty one', '', form()],
    ['one character short', good.slice(0, -1), form()],
    ['one character more', `${good}=`, form()],
    ['another form', good, form('failed')],
    ['a field more', good, new URLSearchParams([...form(), ['x', 'y']])],
    ['a field less', good, new URLSearchParams([...form()].slice(1))],
    ['no form', good, new URLSearchParams()],
    ['another token', signCallback('another', URL_OF_OURS, form()), form()],
    ['no token', signCallback('', URL_OF_OURS, form()), form()],
    ['another host', signCallback(TOKEN, URL_OF_OURS.replace('app', 'evil'), form()), form()],
    ['another path', signCallback(TOKEN, `${URL_OF_OURS}/`, form()), form()],
    ['another scheme', signCallback(TOKEN, URL_OF_OURS.replace('https', 'http'), form()), form()],
  ]
  for (const [name, signature, fields] of refused) {
    assert.equal(check(signature, fields), false, name)
  }
})

test('a repeated field is no way around', () => {
  const twice = new URLSearchParams([...form(), ['MessageStatus', 'failed']])
  assert.equal(check(signCallback(TOKEN, URL_OF_OURS, form()), twice), false)
})

test('repeated fields are taken when Twilio has signed them all', () => {
  const twice = new URLSearchParams([...form(), ['AddOns', 'a'], ['AddOns', 'b']])
  assert.equal(check(signCallback(TOKEN, URL_OF_OURS, twice), twice), true)
})

test('what cannot be of Twilio is refused before it is read', (t) => {
  const hashed = t.mock.method(twilio, 'validateRequest')
  const unread = new Proxy(form(), { get: () => assert.fail('the form was read') })
  for (const signature of ['x', 'A'.repeat(28), `${'A'.repeat(26)}==`, `${'A'.repeat(26)}-=`]) {
    assert.equal(check(signature, unread), false, signature)
  }
  const fields = (count: number) =>
    new URLSearchParams(Array.from({ length: count }, (_, index) => [`field${index}`, '']))
  const signed = (many: URLSearchParams) => check(signCallback(TOKEN, URL_OF_OURS, many), many)
  assert.equal(signed(fields(61)), false)
  assert.equal(signed(new URLSearchParams(Array(61).fill(['MessageSid', '']))), false)
  assert.equal(hashed.mock.callCount(), 0)
  assert.equal(signed(fields(60)), true)
  assert.equal(hashed.mock.callCount(), 1)
})
