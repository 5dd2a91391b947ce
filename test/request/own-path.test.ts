import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isOwnTarget } from '../../proxy/request/own-path.ts'
import { parseTarget } from '../../proxy/request/target.ts'

function isOwn(raw: string): boolean {
  const parsed = parseTarget(raw, { encodedSlashes: 'allow' })
  assert.ok(parsed.kind === 'ok', raw)
  return isOwnTarget(parsed.target)
}

test('every spelling of our own paths is ours', () => {
  for (const raw of [
    '/_stepgate',
    '/_stepgate/',
    '/_stepgate/otp?x',
    '/_StepGate/otp',
    '/%5fstepgate/otp',
    '/_stepgate;x/otp',
    '/_stepgate%3bx',
    '/_stepgate%2fotp',
    '/_stepgate%3fx',
    '/_\u0073tepgate/%FF',
  ]) {
    assert.equal(isOwn(raw), true, raw)
  }
})

test('and nothing else', () => {
  for (const raw of ['/', '/_stepgates', '/_stepgate.css', '/a/_stepgate/', '/?/_stepgate/']) {
    assert.equal(isOwn(raw), false, raw)
  }
})
