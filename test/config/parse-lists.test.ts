import assert from 'node:assert/strict'
import test from 'node:test'
import { countryOf, parseCountries } from '../../proxy/config/parse-countries.ts'
import { parseNetworks } from '../../proxy/config/parse-networks.ts'
import { parseScopes, parseWords } from '../../proxy/config/parse-words.ts'

test('words are separated by spaces or commas and kept once, in order', () => {
  assert.deepEqual(parseWords(' b, a\nb  c', /^\w$/, 'letter'), {
    kind: 'ok',
    value: ['b', 'a', 'c'],
  })
  assert.deepEqual(parseWords('a bb ccc', /^\w$/, 'letter'), {
    kind: 'wrong',
    problems: ['"bb" is no letter', '"ccc" is no letter'],
  })
  assert.equal(parseWords(' , ', /./, 'letter').kind, 'wrong')
})

test('scopes must contain openid and be scope tokens', () => {
  assert.deepEqual(parseScopes('openid phone'), { kind: 'ok', value: ['openid', 'phone'] })
  assert.deepEqual(parseScopes('profile'), { kind: 'wrong', problems: ['it must contain openid'] })
  assert.equal(parseScopes('openid "x"').kind, 'wrong')
})

test('countries are ISO codes in any case, in order', () => {
  assert.deepEqual(parseCountries('de, AT us DE'), { kind: 'ok', value: ['DE', 'AT', 'US'] })
  assert.deepEqual(parseCountries('UK,001,DE'), {
    kind: 'wrong',
    problems: ['"UK" is no ISO country code', '"001" is no ISO country code'],
  })
  assert.equal(parseCountries(',').kind, 'wrong')
})

test('the country of a number is known only when it belongs to one', () => {
  assert.equal(countryOf('+493012345678'), 'DE')
  assert.equal(countryOf('+15005550006'), 'US')
  assert.equal(countryOf('+88212345678'), undefined)
  assert.equal(countryOf('ACME'), undefined)
  assert.equal(countryOf('12345'), undefined)
})

test('networks come back as CIDRs of the network address', () => {
  for (const [text, network] of [
    ['10.0.0.5', '10.0.0.5/32'],
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['::1', '::1/128'],
    ['FD00::1/8', 'fd00::/8'],
    ['::ffff:10.0.0.1', '10.0.0.1/32'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
  ] as const) {
    assert.deepEqual(parseNetworks(text), { kind: 'ok', value: [network] }, text)
  }
  assert.deepEqual(parseNetworks('10.0.0.0/8, 10.9.9.9/8 ::1'), {
    kind: 'ok',
    value: ['10.0.0.0/8', '::1/128'],
  })
})

test('a peer on a unix socket has a word of its own', () => {
  assert.deepEqual(parseNetworks('unix, 10.0.0.5'), { kind: 'ok', value: ['unix', '10.0.0.5/32'] })
  for (const text of ['unix/8', 'UNIX', 'unix:/x.sock']) {
    assert.equal(parseNetworks(text).kind, 'wrong', text)
  }
})

test('what is no network is named', () => {
  for (const text of [
    '10',
    '10.1',
    '0x7f.0.0.1',
    '010.0.0.1',
    'localhost',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/a',
    '256.0.0.1',
    'fe80::1%eth0/64x',
  ]) {
    assert.deepEqual(
      parseNetworks(`192.168.0.0/16 ${text}`),
      { kind: 'wrong', problems: [`${JSON.stringify(text)} is no IP address or CIDR, nor "unix"`] },
      text,
    )
  }
})
