import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkMessage } from '../../proxy/request/check-message.ts'

const TE = 'Transfer-Encoding'
const CL = 'Content-Length'

describe('messages that pass', () => {
  const table: readonly (readonly [string, string, readonly string[]])[] = [
    ['GET', '1.1', ['Host', 'a']],
    ['GET', '1.0', []],
    ['POST', '1.1', [CL, '0']],
    ['POST', '1.0', [CL, '12']],
    ['DELETE', '1.1', [TE, 'chunked']],
    ['POST', '1.1', ['transfer-encoding', 'Chunked']],
    ['FROBNICATE', '1.1', []],
    ['POST', 'h2', ['content-length', '5', 'te', 'trailers']],
    ['M-SEARCH', '1.1', ['X_User', 'a\tb \xe9']],
  ]
  for (const [method, version, headers] of table) {
    test(`${method} HTTP/${version} ${headers.join(' ')}`, () => {
      assert.deepEqual(checkMessage(method, version, headers), { kind: 'ok' })
    })
  }
})

describe('messages that are refused', () => {
  const table: readonly (readonly [string, string, readonly string[], 400 | 405, string])[] = [
    ['TRACE', '1.1', [], 405, 'refused-method'],
    ['trace', '1.1', [], 405, 'refused-method'],
    ['CONNECT', '1.1', [], 405, 'refused-method'],
    ['', '1.1', [], 400, 'malformed-method'],
    ['GET /', '1.1', [], 400, 'malformed-method'],
    ['GET', '0.9', [], 400, 'http-version'],
    ['GET', '2.0', [], 400, 'http-version'],
    ['GET', '1.2', [], 400, 'http-version'],
    ['GET', '', [], 400, 'http-version'],
    ['POST', '1.1', [TE, 'identity, chunked'], 400, 'transfer-encoding'],
    ['POST', '1.1', [TE, 'gzip, chunked'], 400, 'transfer-encoding'],
    ['POST', '1.1', [TE, 'chunked, chunked'], 400, 'transfer-encoding'],
    ['POST', '1.1', [TE, 'identity'], 400, 'transfer-encoding'],
    ['POST', '1.1', [TE, 'xchunked'], 400, 'transfer-encoding'],
    ['POST', '1.1', [TE, '\vchunked'], 400, 'malformed-header'],
    ['POST', '1.1', [TE, ''], 400, 'transfer-encoding'],
    ['POST', '1.1', [TE, 'chunked', 'transfer-encoding', 'chunked'], 400, 'transfer-encoding'],
    ['POST', '1.1', [TE, 'identity', TE, 'chunked'], 400, 'transfer-encoding'],
    ['POST', '1.0', [TE, 'chunked'], 400, 'transfer-encoding'],
    ['POST', '1.1', [TE, 'chunked', CL, '5'], 400, 'content-length'],
    ['POST', '1.1', [CL, '5', 'content-length', '5'], 400, 'content-length'],
    ['POST', '1.1', [CL, '5, 5'], 400, 'content-length'],
    ['POST', '1.1', [CL, '+5'], 400, 'content-length'],
    ['POST', '1.1', [CL, '-5'], 400, 'content-length'],
    ['POST', '1.1', [CL, '0x5'], 400, 'content-length'],
    ['POST', '1.1', [CL, ''], 400, 'content-length'],
    ['POST', '1.1', [CL, '9'.repeat(16)], 400, 'content-length'],
    ['GET', '1.1', ['Bad Name', 'x'], 400, 'malformed-header'],
    ['GET', '1.1', ['Name:', 'x'], 400, 'malformed-header'],
    ['GET', '1.1', ['', 'x'], 400, 'malformed-header'],
    ['GET', '1.1', ['N\xe4me', 'x'], 400, 'malformed-header'],
    ['GET', '1.1', ['X', 'a\r\nY: b'], 400, 'malformed-header'],
    ['GET', '1.1', ['X', 'a\0'], 400, 'malformed-header'],
    ['GET', 'h2', ['x', 'a\r\ny: b'], 400, 'malformed-header'],
    ['GET', 'h2', ['X-A', 'b'], 400, 'malformed-header'],
    ['GET', 'h2', [':path', '/'], 400, 'malformed-header'],
    ['POST', 'h2', ['transfer-encoding', 'chunked'], 400, 'connection-header'],
    ['GET', 'h2', ['connection', 'close'], 400, 'connection-header'],
    ['GET', 'h2', ['keep-alive', '5'], 400, 'connection-header'],
    ['GET', 'h2', ['proxy-connection', 'close'], 400, 'connection-header'],
    ['GET', 'h2', ['upgrade', 'websocket'], 400, 'connection-header'],
    ['POST', 'h2', ['content-length', '5', 'content-length', '5'], 400, 'content-length'],
    ['get', 'h2', [], 400, 'malformed-method'],
    ['FROBNICATE', 'h2', [], 400, 'malformed-method'],
    ['CONNECT', 'h2', [], 405, 'refused-method'],
  ]
  for (const [method, version, headers, status, reason] of table) {
    test(JSON.stringify([method, version, ...headers]), () => {
      const expected = { kind: 'rejected', status, reason }
      assert.deepEqual(checkMessage(method, version, headers), expected)
    })
  }
})
