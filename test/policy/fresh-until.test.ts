import assert from 'node:assert/strict'
import test from 'node:test'
import { decide } from '../../proxy/policy/decide.ts'
import { freshUntil } from '../../proxy/policy/fresh-until.ts'
import { parseRules } from '../../proxy/policy/parse-rules.ts'
import type { RuleRequest } from '../../proxy/policy/rule.ts'
import { freshSession } from '../support/door.ts'

const { rules, problems } = parseRules(
  'basic /a; twilio_sms GET /b max_age=5m; twilio_sms /b/c max_age=1m; twilio_sms host.example/d max_age=2m; twilio_sms /**',
  'x',
)
assert.deepEqual(problems, [])
const OTP = 1_000_000_000
const proved = { ...freshSession(OTP), acr: 'twilio_sms', otpTime: OTP } as const

const REQUESTS: readonly (readonly [RuleRequest, number | undefined])[] = [
  [{ method: 'GET', hosts: ['x'], paths: ['/a'] }, undefined],
  [{ method: 'get', hosts: ['x'], paths: ['/b'] }, 5],
  [{ method: 'POST', hosts: ['x'], paths: ['/b'] }, undefined],
  [{ method: 'GET', hosts: ['x'], paths: ['/b', '/b/c'] }, 1],
  [{ method: 'GET', hosts: ['x', 'host.example'], paths: ['/d'] }, 2],
  [{ method: 'GET', hosts: ['x'], paths: ['/e'] }, undefined],
]

test('it is the moment from which the decision is another one', () => {
  for (const [request, minutes] of REQUESTS) {
    const until = freshUntil(rules, proved, request)
    if (minutes === undefined) {
      assert.equal(until, Number.POSITIVE_INFINITY, request.paths[0])
      continue
    }
    assert.equal(until, OTP + minutes * 60_000 + 1)
    const kindAt = (now: number) => decide(rules, 'twilio_sms', proved, request, now).kind
    assert.equal(kindAt(until - 1), 'forward')
    assert.equal(kindAt(until), 'step-up')
  }
})

test('a sign-in that has become too old ends it as well, whichever is first', () => {
  const both = parseRules(
    'twilio_sms /x max_age=10m signed_in_within=5m; basic /y signed_in_within=1h',
    'x',
  )
  const session = { ...proved, authTime: OTP - 60_000, authTimeGiven: true } as const
  for (const [path, until] of [
    ['/x', OTP + 5 * 60_000 + 1],
    ['/y', OTP + 60 * 60_000 + 1],
    ['/z', Number.POSITIVE_INFINITY],
  ] as const) {
    const request: RuleRequest = { method: 'GET', hosts: ['x'], paths: [path] }
    assert.equal(freshUntil(both.rules, session, request), until, path)
    if (until === Number.POSITIVE_INFINITY) continue
    const kindAt = (now: number) => decide(both.rules, 'basic', session, request, now).kind
    assert.deepEqual([kindAt(until - 1), kindAt(until)], ['forward', 'sign-in'])
  }
})

test('without a code there is none', () => {
  const request = { method: 'GET', hosts: ['x'], paths: ['/b'] } as const
  for (const session of [undefined, freshSession(OTP)]) {
    assert.equal(freshUntil(rules, session, request), Number.POSITIVE_INFINITY)
  }
})
