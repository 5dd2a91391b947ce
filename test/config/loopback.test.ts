import assert from 'node:assert/strict'
import test from 'node:test'
import { isLoopbackHost } from '../../proxy/config/loopback.ts'

test('only names and addresses of this machine are loopback', () => {
  for (const url of [
    'http://localhost',
    'http://APP.localhost:1',
    'http://127.9.9.9',
    'http://127.1',
    'http://[::1]:8',
  ]) {
    assert.equal(isLoopbackHost(new URL(url).hostname), true, url)
  }
  for (const host of [
    'localhost.example.com',
    'notlocalhost',
    '128.0.0.1',
    '127.evil.com',
    '[::2]',
    '0.0.0.0',
    '',
  ]) {
    assert.equal(isLoopbackHost(host), false, host)
  }
})
