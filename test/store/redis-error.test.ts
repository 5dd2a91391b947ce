import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  isHopeless,
  isWrongServer,
  RedisError,
  readRedisError,
} from '../../proxy/store/redis-error.ts'

const nodeError = (code: string) => Object.assign(new Error('from Node'), { code })

const READ: readonly (readonly [error: unknown, code: string, target?: string])[] = [
  [new Error("READONLY You can't write against a read only replica."), 'READONLY'],
  [
    new Error(
      "ERR Error running script (call to f_0a): @user_script:1: @user_script: 1: -READONLY You can't write",
    ),
    'READONLY',
  ],
  [new Error('OOM command not allowed when used memory > maxmemory. script: 0a'), 'OOM'],
  [new Error('MOVED 8315 10.0.0.1:6379'), 'MOVED', '10.0.0.1:6379'],
  [new Error('MOVED 8315 :6379'), 'MOVED', ':6379'],
  [new Error('NOAUTH Authentication required.'), 'NOAUTH'],
  [new Error('ERR AUTH <password> called without any password configured'), 'no_password'],
  [new Error('ERR DB index is out of range'), 'no_database'],
  [
    new Error("ERR unknown command 'GETDEL', with args beginning with: 'a-secret'"),
    'unknown_command',
  ],
  [new Error("ERR value 'a-secret' is not an integer"), 'ERR'],
  [new Error('Connection timeout'), 'timeout'],
  [new Error('Socket closed unexpectedly'), 'closed'],
  [nodeError('ECONNREFUSED'), 'ECONNREFUSED'],
  [new AggregateError([nodeError('ECONNREFUSED'), nodeError('ETIMEDOUT')]), 'ECONNREFUSED'],
  ['no error at all', 'closed'],
]

for (const [error, code, target] of READ) {
  test(`${error instanceof Error ? error.message || error.name : error} is ${code}`, () => {
    const read = readRedisError(error, 'redis:6379')
    assert.equal(read.code, code)
    assert.equal(read.target, target)
    assert.match(read.message, /^Redis at redis:6379 can not be used: \w/)
    assert.ok(read.message.includes(`(${code})`), read.message)
    assert.doesNotMatch(read.message, /a-secret/)
    assert.equal(readRedisError(read, 'elsewhere'), read)
  })
}

test('a start waits for what may pass, and not for what only the operator can mend', () => {
  const hopeless = (code: string) => isHopeless(new RedisError('r', code))
  for (const code of [
    'ECONNREFUSED',
    'ENOTFOUND',
    'EAI_AGAIN',
    'timeout',
    'closed',
    'LOADING',
    'READONLY',
    'CLUSTERDOWN',
    'not_master',
    'OOM',
  ]) {
    assert.equal(hopeless(code), false, code)
  }
  for (const code of [
    'WRONGPASS',
    'NOAUTH',
    'NOPERM',
    'MOVED',
    'no_master',
    'no_database',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'ERR_SSL_WRONG_VERSION_NUMBER',
    'ENOENT',
  ]) {
    assert.equal(hopeless(code), true, code)
  }
})

test('a full or foreign server is the right one all the same', () => {
  for (const code of ['OOM', 'MISCONF', 'NOREPLICAS', 'NOSCRIPT', 'WRONGTYPE', 'TRYAGAIN', 'ASK']) {
    assert.equal(isWrongServer(new RedisError('r', code)), false, code)
  }
})
