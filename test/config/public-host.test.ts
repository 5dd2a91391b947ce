import assert from 'node:assert/strict'
import test from 'node:test'
import { isPublicHost } from '../../proxy/config/public-host.ts'

test('what no one on the internet can reach is no public host', () => {
  for (const url of [
    'https://localhost',
    'https://portal',
    'https://portal.',
    'https://sso.corp',
    'https://app.internal.',
    'https://nas.local',
    'https://nas.home.arpa',
    'https://my_app.example.com',
    'https://127.0.0.1',
    'https://10.1.2.3',
    'https://172.16.0.1',
    'https://192.168.1.1',
    'https://169.254.1.1',
    'https://100.64.0.1',
    'https://0.0.0.0',
    'https://[::1]',
    'https://[fd00::1]',
    'https://[fe80::1]',
    'https://[::ffff:10.0.0.1]',
  ]) {
    assert.equal(isPublicHost(new URL(url).hostname), false, url)
  }
})

test('names of several labels and public addresses are', () => {
  for (const url of [
    'https://app.example.com',
    'https://APP.example.com.',
    'https://local.example.com',
    'https://xn--mller-kva.example',
    'https://203.0.114.7',
    'https://[2a01:4f8::1]',
  ]) {
    assert.equal(isPublicHost(new URL(url).hostname), true, url)
  }
})
