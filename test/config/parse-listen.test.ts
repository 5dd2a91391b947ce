import assert from 'node:assert/strict'
import test from 'node:test'
import { parseListen } from '../../proxy/config/parse-listen.ts'

test('an address to listen at is a port, an address with a port, or a socket', () => {
  for (const [text, value] of [
    [':8080', { kind: 'tcp', port: 8080 }],
    ['8080', { kind: 'tcp', port: 8080 }],
    ['127.0.0.1:0', { kind: 'tcp', host: '127.0.0.1', port: 0 }],
    ['[::1]:443', { kind: 'tcp', host: '::1', port: 443 }],
    ['localhost:65535', { kind: 'tcp', host: 'localhost', port: 65535 }],
    ['unix:/run/stepgate.sock', { kind: 'unix', path: '/run/stepgate.sock' }],
  ] as const) {
    assert.deepEqual(parseListen(text), { kind: 'ok', value }, text)
  }
})

test('anything else is refused', () => {
  for (const text of [
    '',
    ':',
    'http://x:80',
    '::1:8080',
    '[::1]',
    '[]:80',
    '[127.0.0.1]:80',
    '65536',
    ':80x',
    '300.0.0.1:80',
    '127.0.0.1',
    '*:80',
    'unix:x',
    'a b:80',
    '-x:80',
    '1.2.3:80',
  ]) {
    assert.equal(parseListen(text).kind, 'wrong', text)
  }
})
