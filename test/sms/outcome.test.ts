import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callProblem, failureOf, outcomeOf } from '../../proxy/sms/outcome.ts'

const refused: [number, string][] = [
  [21211, 'not_a_number'],
  [21217, 'not_a_number'],
  [21265, 'not_a_number'],
  [30005, 'not_a_number'],
  [21614, 'not_mobile'],
  [21635, 'not_mobile'],
  [30006, 'not_mobile'],
  [21408, 'country_not_enabled'],
  [21610, 'opted_out'],
  [21612, 'not_routable'],
  [30004, 'blocked'],
  [30450, 'blocked'],
  [13223, 'not_a_number'],
  [13224, 'not_routable'],
  [13225, 'blocked'],
  [13227, 'country_not_enabled'],
  [21214, 'not_routable'],
  [21215, 'country_not_enabled'],
  [21216, 'blocked'],
]
for (const [code, reason] of refused) {
  test(`${code} refuses this number: ${reason}`, () =>
    assert.deepEqual(outcomeOf({ code, status: 400 }), { kind: 'refused', reason, code }))
}

const failed: [number, number, string][] = [
  [20003, 401, 'credentials'],
  [20005, 403, 'credentials'],
  [10001, 400, 'credentials'],
  [20008, 403, 'credentials'],
  [20403, 403, 'credentials'],
  [20404, 404, 'credentials'],
  [30002, 400, 'credentials'],
  [70051, 403, 'credentials'],
  [20429, 429, 'rate_limited'],
  [21611, 429, 'rate_limited'],
  [30001, 400, 'rate_limited'],
  [21608, 400, 'trial_account'],
  [21212, 400, 'sender_not_registered'],
  [21601, 400, 'sender_not_registered'],
  [21606, 400, 'sender_not_registered'],
  [21659, 400, 'sender_not_registered'],
  [21660, 400, 'sender_not_registered'],
  [21661, 400, 'sender_not_registered'],
  [21703, 400, 'sender_not_registered'],
  [21704, 400, 'sender_not_registered'],
  [21705, 400, 'sender_not_registered'],
  [30007, 400, 'sender_not_registered'],
  [30032, 400, 'sender_not_registered'],
  [30034, 400, 'sender_not_registered'],
  [20503, 503, 'unavailable'],
  [30003, 400, 'unavailable'],
  [30008, 400, 'unavailable'],
  [10002, 400, 'trial_account'],
  [10004, 429, 'rate_limited'],
  [21210, 400, 'sender_not_registered'],
  [21219, 400, 'trial_account'],
  [21999, 400, 'rejected'],
  [21602, 400, 'rejected'],
  [29999, 403, 'rejected'],
  [20500, 500, 'unavailable'],
]
for (const [code, status, reason] of failed) {
  test(`${code} fails for every number: ${reason}`, () =>
    assert.deepEqual(outcomeOf({ code, status }), { kind: 'failed', reason, code, status }))
}

const byStatus: [number | undefined, string][] = [
  [401, 'credentials'],
  [403, 'credentials'],
  [429, 'rate_limited'],
  [400, 'rejected'],
  [404, 'rejected'],
  [302, 'unavailable'],
  [500, 'unavailable'],
  [503, 'unavailable'],
  [undefined, 'unavailable'],
]
for (const [status, reason] of byStatus) {
  test(`HTTP ${status} without a code of Twilio's is ${reason}`, () =>
    assert.deepEqual(
      outcomeOf(status === undefined ? {} : { status }),
      status === undefined ? { kind: 'failed', reason } : { kind: 'failed', reason, status },
    ))
}

test('when no answer came, the word of the network says why', () => {
  assert.deepEqual(outcomeOf({ network: 'ENOTFOUND' }), {
    kind: 'failed',
    reason: 'unavailable',
    network: 'ENOTFOUND',
  })
})

test('a deadline of ours is called a timeout, whatever the client calls it', () => {
  for (const code of ['ERR_CANCELED', 'ECONNABORTED', 'ETIMEDOUT']) {
    assert.deepEqual(failureOf({ code }), { network: 'ETIMEDOUT' })
  }
})

test('of an error only its numbers and the network word are left', () => {
  const error = Object.assign(new Error('to +4915112345678 code 424242'), {
    code: 21211,
    status: 400,
    config: { headers: { Authorization: 'Basic c2VjcmV0' } },
  })
  assert.deepEqual(failureOf(error), { code: 21211, status: 400 })
  assert.deepEqual(failureOf(Object.assign(new Error('x'), { code: 'ECONNRESET' })), {
    network: 'ECONNRESET',
  })
})

test('what could be a one-time code, or is no number at all, is not taken for a code of Twilio', () => {
  for (const code of [424242, 0, -1, 1.5, '21211', 'code 424242', { toString: () => '21211' }]) {
    assert.deepEqual(failureOf({ code, status: 1000 }), {})
  }
  for (const error of [undefined, null, 'boom', 7]) assert.deepEqual(failureOf(error), {})
})

test('a call that is over when it is answered says why; one under way says nothing yet', () => {
  const notAnswered = { kind: 'refused', reason: 'not_answered' }
  assert.deepEqual(callProblem('busy'), notAnswered)
  assert.deepEqual(callProblem('no-answer'), notAnswered)
  assert.deepEqual(callProblem('failed'), { kind: 'refused', reason: 'not_routable' })
  assert.deepEqual(callProblem('canceled'), { kind: 'failed', reason: 'rejected' })
  for (const status of ['queued', 'ringing', 'in-progress', 'completed', undefined, 7]) {
    assert.equal(callProblem(status), undefined)
  }
})
