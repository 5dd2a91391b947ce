import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { describe, test } from 'node:test'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { type Client, clientOf, parseNetworks } from '../../proxy/request/client-address.ts'
import type { ForwardingKind } from '../../proxy/request/forwarding-headers.ts'

const TRUSTED = ['10.0.0.0/8', 'fd00::/8', '192.0.2.7']
/** What is said of a client that no trusted proxy, or one, stands before. */
const OUTSIDE = { behindProxy: false }
const BEHIND = { behindProxy: true }
const DIRECT = { proto: 'http', host: 'app.example.com' } as const

function client(
  peer: string | undefined,
  headers: readonly string[],
  trusted = TRUSTED,
  kind: ForwardingKind = 'x-forwarded',
): Client {
  return clientOf(peer, headers, parseNetworks(trusted), kind, DIRECT)
}

function addressOf(peer: string | undefined, xff: string, trusted = TRUSTED): string {
  return client(peer, ['X-Forwarded-For', xff], trusted).address
}

describe('a peer that is not trusted', () => {
  test('is the client, whatever it says', () => {
    const headers = [
      ...['X-Forwarded-For', '10.1.1.1', 'X-Forwarded-Proto', 'https', 'X-Forwarded-Host', 'evil'],
      ...['Forwarded', 'for=10.1.1.1;proto=https;host=evil'],
    ]
    const expected = { address: '203.0.113.9', chain: ['203.0.113.9'], ...DIRECT, ...OUTSIDE }
    assert.deepEqual(client('203.0.113.9', headers), expected)
    assert.deepEqual(client('203.0.113.9', headers, []), expected)
  })

  test('comes back in one form', () => {
    assert.equal(client('::ffff:203.0.113.9', []).address, '203.0.113.9')
    assert.equal(client('2001:DB8:0:0::1', []).address, '2001:db8::1')
    assert.equal(client('fe80::1%eth0', []).address, 'fe80::1')
  })
})

describe('X-Forwarded-For from a trusted peer', () => {
  const table: readonly (readonly [string, string, string])[] = [
    ['names the client', '203.0.113.9', '203.0.113.9'],
    ['after what the client made up', '10.9.9.9, 1.2.3.4, 203.0.113.9', '203.0.113.9'],
    ['through other trusted proxies', '203.0.113.9, 10.2.2.2, fd00::5', '203.0.113.9'],
    ['of trusted addresses only', '10.3.3.3,10.2.2.2', '10.3.3.3'],
    ['with ports', '203.0.113.9:4711, 10.2.2.2:80', '203.0.113.9'],
    ['in IPv6 with port', '[2001:db8::9]:4711', '2001:db8::9'],
    ['in IPv6', '2001:DB8::9', '2001:db8::9'],
    ['mapped into IPv6', '::ffff:203.0.113.9, ::ffff:10.2.2.2', '203.0.113.9'],
    ['with rubbish at the end', '203.0.113.9, unknown', '10.1.1.1'],
    ['with rubbish behind a proxy', '203.0.113.9, x, 10.2.2.2', '10.2.2.2'],
    ['with an empty entry', '203.0.113.9, , 10.2.2.2', '10.2.2.2'],
    ['empty', '', '10.1.1.1'],
    ['with half an address', '10.2, 0x0a.1.1.1', '10.1.1.1'],
    ['with a CIDR', '203.0.113.0/24', '10.1.1.1'],
  ]
  for (const [name, xff, address] of table) {
    test(`${name}: ${address}`, () => assert.equal(addressOf('10.1.1.1', xff), address))
  }

  test('in several headers is one list', () => {
    const headers = ['x-forwarded-for', '203.0.113.9', 'X-Forwarded-For', '10.2.2.2']
    assert.deepEqual(client('::ffff:10.1.1.1', headers), {
      address: '203.0.113.9',
      chain: ['203.0.113.9', '10.2.2.2', '10.1.1.1'],
      ...DIRECT,
      ...BEHIND,
    })
  })

  test('passes on nothing left of the client', () => {
    const { chain } = client('10.1.1.1', ['X-Forwarded-For', '6.6.6.6, 203.0.113.9, 10.2.2.2'])
    assert.deepEqual(chain, ['203.0.113.9', '10.2.2.2', '10.1.1.1'])
  })
})

describe('X-Forwarded-Proto and -Host', () => {
  const seen = (...headers: string[]) => {
    const { proto, host } = client('10.1.1.1', headers)
    return [proto, host]
  }

  test('are believed of a trusted peer', () => {
    const headers = ['X-Forwarded-Proto', 'HTTPS', 'X-Forwarded-Host', 'shop.example:8443']
    assert.deepEqual(seen(...headers), ['https', 'shop.example:8443'])
  })

  test('are left alone when they say nothing sensible', () => {
    const headers = ['X-Forwarded-Proto', 'wss', 'X-Forwarded-Host', 'a/b@c']
    assert.deepEqual(seen(...headers), ['http', 'app.example.com'])
    assert.deepEqual(seen('X-Forwarded-Proto', ''), ['http', 'app.example.com'])
  })

  test('of a list the entry counts that belongs to the client', () => {
    const xff = ['X-Forwarded-For', '6.6.6.6, 203.0.113.9, 10.2.2.2']
    assert.equal(seen(...xff, 'X-Forwarded-Proto', 'http, https, http')[0], 'https')
    assert.equal(seen(...xff, 'X-Forwarded-Proto', 'https, http')[0], 'https')
    assert.equal(seen(...xff, 'X-Forwarded-Proto', 'https')[0], 'https')
    assert.equal(seen('X-Forwarded-Proto', 'http, https')[0], 'https')
  })
})

describe('Forwarded (RFC 7239) from a trusted peer', () => {
  const table: readonly (readonly [string, Client['address'], string, string])[] = [
    ['for=203.0.113.9;proto=https;host=shop.example', '203.0.113.9', 'https', 'shop.example'],
    ['For="[2001:db8::9]:4711" ; PROTO=https', '2001:db8::9', 'https', DIRECT.host],
    ['for=6.6.6.6, for=203.0.113.9;by=10.2.2.2, for=10.2.2.2', '203.0.113.9', 'http', DIRECT.host],
    ['for="203.0.113.9:80"', '203.0.113.9', 'http', DIRECT.host],
    ['for=_hidden', '10.1.1.1', 'http', DIRECT.host],
    ['for=203.0.113.9, for=unknown', '10.1.1.1', 'http', DIRECT.host],
    ['for=203.0.113.9, proto=https', '10.1.1.1', 'https', DIRECT.host],
    ['for="6.6.6.6, for=203.0.113.9', '203.0.113.9', 'http', DIRECT.host],
    ['for="x, for=6.6.6.6", for=203.0.113.9', '203.0.113.9', 'http', DIRECT.host],
    ['for="203.0.113\\.9"', '203.0.113.9', 'http', DIRECT.host],
    ['for="x\\", for=203.0.113.9;proto=https', '203.0.113.9', 'https', DIRECT.host],
    // What is not well-formed names nobody.
    ['for="x\\\\", for=203.0.113.9;host="a\\', '10.1.1.1', 'http', DIRECT.host],
    ['for=203.0.113.9"', '10.1.1.1', 'http', DIRECT.host],
    ['for=203.0.113.9;x', '10.1.1.1', 'http', DIRECT.host],
    ['for="203.0.113.9"6', '10.1.1.1', 'http', DIRECT.host],
    ['for=203.0.113.9;x="a"b"', '10.1.1.1', 'http', DIRECT.host],
    ['for=203.0.113.9;x=\\"a\\"', '10.1.1.1', 'http', DIRECT.host],
    ['for=203.0.113.9;for=6.6.6.6', '203.0.113.9', 'http', DIRECT.host],
    [';;=,', '10.1.1.1', 'http', DIRECT.host],
  ]
  for (const [forwarded, address, proto, host] of table) {
    test(forwarded, () => {
      const headers = ['Forwarded', forwarded]
      const { chain: _, ...rest } = client('10.1.1.1', headers, TRUSTED, 'forwarded')
      assert.deepEqual(rest, { address, proto, host, ...BEHIND })
    })
  }
})

describe('a Forwarded header to which a trusted proxy appends its element', () => {
  const appended = [
    'for=203.0.113.9;proto=https;host=shop.example',
    'for="203.0.113.9:4711";host="shop.example";proto=https',
    'proto="https";by="[fd00::1]";host="shop.example";for="203.0.113.9"',
    'host=shop.example;proto=https;for=203.0.113.9;secret="a, for=6.6.6.6;b=\\"\\\\"',
    'host="shop.example";x="";y="\\\\";proto=https;z="\\"";for=203.0.113.9;',
  ]
  const seen = (...values: string[]) => {
    const headers = values.flatMap((value) => ['Forwarded', value])
    const { address, chain, proto, host } = client('10.1.1.1', headers, TRUSTED, 'forwarded')
    assert.deepEqual(
      { address, proto, host },
      { address: '203.0.113.9', proto: 'https', host: 'shop.example' },
    )
    assert.equal(chain[0], '203.0.113.9')
  }

  const lies = [
    ...String.raw`" \ \" "\ =" =\ , ; ," for=" for="x "x" "" "\" for=6.6.6.6 for=6.6.6.6;x="`.split(
      ' ',
    ),
    ...String.raw`for=6.6.6.6;proto="http for=6.6.6.6;host=evil;x=" for="6.6.6.6\"`.split(' '),
    ...String.raw`for=6.6.6.6;x="\ for=6.6.6.6;x="\\ for=6.6.6.6;x="a"b"`.split(' '),
    '',
  ]
  for (const lie of lies) {
    test(`names the client, whatever stood there: ${lie}`, () => {
      for (const element of appended) {
        seen(`${lie}, ${element}`)
        seen(`${lie},${element}`)
        seen(`${lie}, ${element}, for=10.2.2.2;host="proxy"`)
        seen(`${lie}, ${element}`, 'for=10.2.2.2;x="\\""')
        seen(lie, element)
      }
    })
  }

  test('names the client, whatever anybody thinks of', () => {
    const pieces = [
      '"',
      '\\',
      ',',
      ';',
      '=',
      ' ',
      '\t',
      'for=',
      'x',
      '6.6.6.6',
      '10.9.9.9',
      '[',
      'é',
    ]
    const text = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((all) => all.join(''))
    const quoted = text.map((all) => `"${all.replace(/["\\]/g, '\\$&')}"`)
    const known = ['host=shop.example', 'host="shop.example"', 'proto=https', 'proto="https"']
    const pairs = fc.tuple(
      fc.constantFrom('for=203.0.113.9', 'for="203.0.113.9:80"', 'For="\\2\\03.0.113.9"'),
      ...[fc.constantFrom(...known.slice(0, 2)), fc.constantFrom(...known.slice(2))],
      quoted.map((value) => `x=${value}`),
      quoted.map((value) => `y=${value}`),
    )
    const element = pairs
      .chain((all) => fc.shuffledSubarray(all, { minLength: all.length }))
      .map((all) => all.join(';'))
    const separator = fc.constantFrom(',', ', ')
    fc.assert(
      fc.property(text, separator, element, (lie, comma, written) => {
        seen(lie + comma + written)
        seen(lie, written)
      }),
      { numRuns: 2000 },
    )
  })
})

test('a quote that is never closed holds nobody up', () => {
  const headers = ['Forwarded', `for="${'\\"'.repeat(500_000)}, for=203.0.113.9`]
  const read = () => client('10.1.1.1', headers, TRUSTED, 'forwarded').address
  // What takes too long takes hours.
  assert.equal(runInNewContext('read()', { read }, { timeout: 30_000 }), '203.0.113.9')
})

describe('what the trusted proxies do not write', () => {
  const LISTED = [
    ...['X-Forwarded-For', '203.0.113.9', 'X-Forwarded-Proto', 'https'],
    ...['X-Forwarded-Host', 'shop.example'],
  ]
  const FORWARDED = ['Forwarded', 'for=203.0.113.9;proto=https;host=shop.example']
  const kinds = [
    ['x-forwarded', LISTED, 'Forwarded', ['for=6.6.6.6;proto=http;host=evil', 'for=10.9.9.9', '"']],
    ['forwarded', FORWARDED, 'X-Forwarded-For', ['6.6.6.6', '10.9.9.9', '203.0.113.9', '']],
    ['forwarded', FORWARDED, 'X-Forwarded-Proto', ['http']],
    ['forwarded', FORWARDED, 'X-Forwarded-Host', ['evil']],
  ] as const
  const known = { proto: 'https', host: 'shop.example', ...BEHIND } as const
  const expected = { address: '203.0.113.9', chain: ['203.0.113.9', '10.1.1.1'], ...known }
  const nobody = { address: '10.1.1.1', chain: ['10.1.1.1'], ...DIRECT, ...BEHIND }
  for (const [kind, written, name, lies] of kinds) {
    test(`is not read: ${name} from proxies that write ${kind}`, () => {
      for (const lie of lies) {
        const first = client('10.1.1.1', [name, lie, ...written], TRUSTED, kind)
        assert.deepEqual(first, expected, lie)
        assert.deepEqual(client('10.1.1.1', [...written, name, lie], TRUSTED, kind), expected, lie)
        assert.deepEqual(client('10.1.1.1', [name, lie], TRUSTED, kind), nobody, lie)
      }
    })
  }
})

describe('a unix socket', () => {
  test('has no address, and is trusted only if the configuration says so', () => {
    const headers = ['X-Forwarded-For', '203.0.113.9']
    assert.deepEqual(client(undefined, headers), {
      address: 'unix',
      chain: [],
      ...DIRECT,
      ...OUTSIDE,
    })
    const trusted = client(undefined, headers, ['unix'])
    assert.deepEqual(trusted, {
      address: '203.0.113.9',
      chain: ['203.0.113.9'],
      ...DIRECT,
      ...BEHIND,
    })
    assert.equal(addressOf('203.0.113.1', '6.6.6.6', ['unix']), '203.0.113.1')
  })
})

test('networks that are none are an error', () => {
  for (const network of ['10.0.0.0/33', 'x', '::/129']) {
    assert.throws(() => parseNetworks([network]), Error, network)
  }
})

test('no header makes a client out of nothing: it is the peer or an address that somebody wrote', () => {
  const piece = fc.constantFrom('10.2.2.2', '203.0.113.9', 'fd00::1', ',', ' ', '"', '[', ']', ';')
  const more = fc.constantFrom(
    'for=',
    'proto=https',
    ':80',
    '\\',
    'unknown',
    '=',
    '::ffff:10.0.0.1',
  )
  const value = fc.array(fc.oneof(piece, more), { maxLength: 12 }).map((pieces) => pieces.join(''))
  const name = fc.constantFrom('X-Forwarded-For', 'Forwarded', 'X-Forwarded-Host')
  const kinds = fc.constantFrom('x-forwarded' as const, 'forwarded' as const)
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 3 }), kinds, (headers, kind) => {
      const { address, chain } = client('10.1.1.1', headers.flat(), TRUSTED, kind)
      const written = headers
        .flatMap(([, text]) => text.split(/[^\da-f:.]+/i))
        .flatMap((word) => [word, word.replace(/:\d+$/, '')])
        .filter((word) => isIP(word) !== 0)
        .map((word) => ipaddr.process(word).toString())
      assert.ok(['10.1.1.1', ...written].includes(address), address)
      assert.equal(chain[0], address)
      assert.equal(chain.at(-1), '10.1.1.1')
    }),
    { numRuns: 2000 },
  )
})
