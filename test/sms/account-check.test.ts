import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountCheck, failureCheck, keyCheck } from '../../proxy/sms/account-check.ts'

const byToken = { credentials: 'token', origin: 'https://api.twilio.com' } as const
const byKey = { credentials: 'api-key', origin: 'https://api.twilio.com' } as const

test('an active account is in order, and a trial account says whom it reaches', () => {
  assert.equal(accountCheck({ status: 'active', type: 'Full' }).kind, 'ok')
  const trial = accountCheck({ status: 'active', type: 'Trial' })
  assert.equal(trial.kind, 'ok')
  assert.match(trial.detail, /trial account.*verified/)
})

test('a suspended, closed or unreadable account is a problem', () => {
  for (const status of ['suspended', 'closed']) {
    const check = accountCheck({ status, type: 'Full' })
    assert.equal(check.kind, 'problem')
    assert.match(check.detail, new RegExp(status))
  }
  assert.equal(accountCheck({ status: undefined, type: 'Full' }).kind, 'problem')
})

test('a key that may not read the account is in order', () => assert.equal(keyCheck().kind, 'ok'))

const problems: [string, Parameters<typeof failureCheck>, RegExp][] = [
  ['a wrong token', [{ status: 401, code: 20003 }, byToken], /_SID and STEPGATE_TWILIO_TOKEN:/],
  ['a wrong key', [{ status: 401, code: 20003 }, byKey], /STEPGATE_TWILIO_API_KEY_SECRET/],
  ['an unknown account', [{ status: 404, code: 20404 }, byToken], /STEPGATE_TWILIO_SID/],
  ['test credentials', [{ status: 403, code: 20008 }, byToken], /test credentials/],
  ['an inactive account', [{ status: 403, code: 20005 }, byToken], /not active/],
  ['another server', [{ status: 404 }, byToken], /not Twilio's API \(HTTP 404\).*_API_URL/],
  ['an answer that is none', [{}, byToken], /not Twilio's API; .*_API_URL/],
  ['too many requests', [{ status: 429, code: 20429 }, byToken], /too often/],
  ['Twilio down', [{ status: 503 }, byToken], /HTTP 503/],
  ['no way there', [{ network: 'ENOTFOUND' }, byToken], /api\.twilio\.com \(ENOTFOUND\)/],
  ['no answer', [{ network: 'ETIMEDOUT' }, byToken], /no answer in time/],
]
for (const [name, args, words] of problems) {
  test(`${name} is said in plain words that name what to look at`, () => {
    const check = failureCheck(...args)
    assert.equal(check.kind, 'problem')
    assert.match(check.detail, words)
  })
}
