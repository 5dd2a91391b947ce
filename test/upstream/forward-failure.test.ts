import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failureOf, isLostConnection } from '../../proxy/upstream/forward-failure.ts'

const failures: [code: string, bytesCame: boolean, kind: string, lost: boolean][] = [
  ['ECONNREFUSED', false, 'unreachable', false],
  ['ENOTFOUND', false, 'unreachable', false],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', false, 'unreachable', false],
  ['ECONNRESET', false, 'unreachable', true],
  ['EPIPE', false, 'unreachable', true],
  ['UND_ERR_SOCKET', false, 'unreachable', true],
  ['UND_ERR_SOCKET', true, 'invalid-response', true],
  ['UND_ERR_HEADERS_OVERFLOW', true, 'invalid-response', false],
  ['HPE_INVALID_CONSTANT', false, 'invalid-response', false],
  ['UND_ERR_HEADERS_TIMEOUT', false, 'timed-out', false],
  ['UND_ERR_HEADERS_TIMEOUT', true, 'timed-out', false],
  ['UND_ERR_CONNECT_TIMEOUT', false, 'timed-out', false],
  ['ETIMEDOUT', false, 'timed-out', false],
]
for (const [code, bytesCame, kind, lost] of failures) {
  test(`${code} ${bytesCame ? 'after' : 'before'} the first byte is ${kind}`, () => {
    const error = Object.assign(new Error('x'), { code })
    assert.deepEqual(failureOf(error, bytesCame), { kind, error })
    assert.equal(isLostConnection(error), lost)
  })
}

test('an error without a code makes the application unreachable', () => {
  const error = new Error('x')
  assert.deepEqual(failureOf(error, false), { kind: 'unreachable', error })
})
