import assert from 'node:assert/strict'
import test from 'node:test'
import {
  parseApiUrl,
  parseIssuer,
  parseLdapUrl,
  parsePublicUrl,
  parseUpstream,
} from '../../proxy/config/parse-url.ts'
import type { Parsed } from '../../proxy/config/parsed.ts'

function result(parsed: Parsed<unknown>): string {
  return parsed.kind === 'ok' ? 'ok' : parsed.problems.join()
}

test('a public URL is an origin, https unless the host is loopback', () => {
  for (const text of [
    'https://app.example.com',
    'https://app.example.com:8443/',
    'HTTPS://App.Example.com',
    'http://localhost:8080',
    'http://a.localhost',
    'http://127.0.0.1',
    'http://[::1]:8080',
    'https://bücher.example',
  ]) {
    assert.equal(result(parsePublicUrl(text)), 'ok', text)
  }
  for (const [text, problem] of [
    ['app.example.com', /must begin with https:\/\/ or http:\/\//],
    ['https:app.example.com', /must begin with/],
    ['javascript:alert(1)', /must begin with/],
    ['http://app.example.com', /https:\/\/ unless the host is loopback/],
    ['http://localhost.example.com', /unless the host is loopback/],
    ['https://app.example.com/base', /without a path/],
    ['https://app.example.com/?', /query/],
    ['https://app.example.com#x', /fragment/],
    ['https://user@app.example.com', /user name or password/],
    ['https://', /no URL with a host/],
    ['https://*.example.com', /no URL with a host/],
    ['https://app.exa mple.com', /no URL with a host/],
    ['https://app.exa\nmple.com', /no URL with a host/],
    ['https://app.example.com:99999', /no URL with a host/],
  ] as const) {
    assert.match(result(parsePublicUrl(text)), problem, text)
  }
})

test('an issuer may have a path, but is not its discovery document', () => {
  assert.equal(result(parseIssuer('https://login.example.com/realms/staff')), 'ok')
  assert.equal(result(parseIssuer('http://127.0.0.1:8081')), 'ok')
  assert.match(result(parseIssuer('http://login.example.com')), /unless the host is loopback/)
  assert.match(
    result(parseIssuer('https://login.example.com/.well-known/openid-configuration')),
    /issuer alone/,
  )
})

test('an upstream is an http or https origin or a socket', () => {
  assert.deepEqual(parseUpstream('unix:/run/app.sock'), {
    kind: 'ok',
    value: { kind: 'unix', path: '/run/app.sock' },
  })
  assert.deepEqual(parseUpstream('http://app:3000'), {
    kind: 'ok',
    value: { kind: 'tcp', origin: new URL('http://app:3000') },
  })
  assert.match(result(parseUpstream('unix:app.sock')), /absolute/)
  assert.match(result(parseUpstream(`unix:/${'x'.repeat(107)}`)), /107 bytes/)
  assert.match(result(parseUpstream('ftp://app')), /http:\/\/ or https:\/\//)
  assert.match(result(parseUpstream('app:3000')), /http:\/\/ or https:\/\//)
  assert.match(result(parseUpstream('http://app:3000/base')), /without a path/)
  assert.match(result(parseUpstream('http://a:b@app')), /user name or password/)
})

test('a directory is ldap or ldaps with a host and nothing more', () => {
  assert.equal(result(parseLdapUrl('ldap://localhost:389')), 'ok')
  assert.equal(result(parseLdapUrl('ldaps://ldap.example.com')), 'ok')
  assert.match(result(parseLdapUrl('https://ldap.example.com')), /ldaps:\/\/ or ldap:\/\//)
  assert.match(result(parseLdapUrl('ldap://')), /no URL with a host/)
  assert.match(result(parseLdapUrl('ldap:///dc=example')), /no URL with a host/)
  assert.match(result(parseLdapUrl('ldap://h/dc=example,dc=com')), /without a path/)
  assert.match(result(parseLdapUrl('ldap://cn=x:p@h')), /user name or password/)
})

test("another base URL for Twilio's API may have a path", () => {
  assert.equal(result(parseApiUrl('http://127.0.0.1:8083/twilio')), 'ok')
  assert.match(result(parseApiUrl('https://x/?a=b')), /query/)
})
