import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { LONGEST_HEADER, parseProxyHeader } from '../../proxy/listener/proxy-header.ts'
import { proxyV2 } from '../support/proxy-v2.ts'

const parse = (text: string) => parseProxyHeader(Buffer.from(text, 'latin1'))

describe('version 1', () => {
  const good: readonly (readonly [string, string | undefined])[] = [
    ['PROXY TCP4 203.0.113.9 192.0.2.1 4711 443', '203.0.113.9'],
    ['PROXY TCP6 2001:db8::9 2001:db8::1 4711 443', '2001:db8::9'],
    ['PROXY TCP6 ::ffff:203.0.113.9 ::1 0 65535', '::ffff:203.0.113.9'],
    ['PROXY UNKNOWN', undefined],
    ['PROXY UNKNOWN ffff::1 ffff::2 1 2', undefined],
  ]
  for (const [line, address] of good) {
    test(line, () => {
      const header = parse(`${line}\r\nGET / HTTP/1.1\r\n`)
      assert.ok(header.kind === 'header')
      assert.deepEqual([header.length, header.source?.address], [line.length + 2, address])
    })
  }

  const bad = [
    'PROXY TCP4 203.0.113.9 192.0.2.1 4711',
    'PROXY TCP4 203.0.113.9 192.0.2.1 4711 443 ',
    'PROXY TCP4  203.0.113.9 192.0.2.1 4711 443',
    'PROXY TCP4 2001:db8::9 192.0.2.1 4711 443',
    'PROXY TCP6 203.0.113.9 192.0.2.1 4711 443',
    'PROXY TCP6 fe80::1%eth0 ::1 4711 443',
    'PROXY TCP4 203.0.113.09 192.0.2.1 4711 443',
    'PROXY TCP4 203.0.113.9 192.0.2.1 65536 443',
    'PROXY TCP4 203.0.113.9 192.0.2.1 04711 443',
    'PROXY TCP4 203.0.113.9 192.0.2.1 4711 -1',
    'PROXY TCP4 203.0.113.9 x 4711 443',
    'PROXY UDP4 203.0.113.9 192.0.2.1 4711 443',
    'PROXY UNKNOWNX',
    'PROXY \n',
    'proxy TCP4 203.0.113.9 192.0.2.1 4711 443',
    'PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\nGET / HTTP/1.1',
    `PROXY UNKNOWN ${'x'.repeat(100)}`,
    'GET / HTTP/1.1',
    '\x16\x03\x01',
    'PROXX',
  ]
  for (const line of bad) {
    test(`is not ${JSON.stringify(line)}`, () => assert.equal(parse(`${line}\r\n`).kind, 'invalid'))
  }

  test('has 107 characters to end in', () => {
    assert.equal(parse('PROXY UNKNOWN '.padEnd(106, 'x')).kind, 'incomplete')
    assert.equal(parse('PROXY UNKNOWN '.padEnd(107, 'x')).kind, 'invalid')
    assert.equal(parse(`${'PROXY UNKNOWN '.padEnd(105, 'x')}\r\n`).kind, 'header')
  })
})

describe('version 2', () => {
  test('names addresses of both families, and its TLVs are skipped', () => {
    for (const address of ['203.0.113.9', '2001:db8::9']) {
      for (const tlvs of [0, 7, 300]) {
        const bytes = Buffer.concat([
          proxyV2({ address, port: 4711, tlvs: Buffer.alloc(tlvs, 3) }),
          Buffer.from('GET'),
        ])
        const header = parseProxyHeader(bytes)
        assert.deepEqual(header, {
          kind: 'header',
          length: bytes.length - 3,
          source: { address, port: 4711 },
        })
      }
    }
  })

  test('names nobody for a balancer itself, and for what is neither IPv4 nor IPv6 over TCP', () => {
    for (const [command, family, length] of [
      [0x20, 0x00, 0],
      [0x20, 0x11, 12],
      [0x20, 0x11, 0],
      [0x21, 0x00, 0],
      [0x21, 0x00, 9],
      [0x21, 0x12, 12],
      [0x21, 0x22, 36],
      [0x21, 0x31, 216],
      [0x21, 0x32, 216],
    ] as const) {
      const header = parseProxyHeader(proxyV2({ command, family, body: Buffer.alloc(length, 1) }))
      assert.deepEqual(header, { kind: 'header', length: 16 + length })
    }
  })

  test('is refused where the definition knows nothing of it', () => {
    for (const [command, family, length] of [
      [0x22, 0x11, 12],
      [0x11, 0x11, 12],
      [0x31, 0x11, 12],
      [0x01, 0x11, 12],
      [0x21, 0x10, 12],
      [0x21, 0x13, 12],
      [0x21, 0x41, 12],
      [0x21, 0x11, 11],
      [0x21, 0x21, 35],
      [0x21, 0x31, 215],
      [0x21, 0x11, LONGEST_HEADER - 15],
    ] as const) {
      const header = parseProxyHeader(proxyV2({ command, family, body: Buffer.alloc(length) }))
      assert.equal(header.kind, 'invalid', `${command} ${family} ${length}`)
    }
  })

  test('has 4096 bytes to end in', () => {
    const body = Buffer.alloc(LONGEST_HEADER - 16)
    const header = parseProxyHeader(proxyV2({ command: 0x21, family: 0x11, body }))
    assert.ok(header.kind === 'header' && header.length === LONGEST_HEADER)
  })
})

const address = fc.oneof(
  fc.ipV4(),
  fc.ipV6().filter((text) => !text.includes('.')),
)
const port = fc.integer({ min: 0, max: 65_535 })
const header = fc.record({
  address,
  port,
  v2: fc.boolean(),
  tlvs: fc.uint8Array({ maxLength: 64 }),
})
const bytesOf = ({
  address,
  port,
  v2,
  tlvs,
}: typeof header extends fc.Arbitrary<infer T> ? T : never) =>
  v2
    ? proxyV2({ address, port, tlvs: Buffer.from(tlvs) })
    : Buffer.from(
        address.includes(':')
          ? `PROXY TCP6 ${address} ::1 ${port} 443\r\n`
          : `PROXY TCP4 ${address} 192.0.2.1 ${port} 443\r\n`,
      )

test('every beginning of a header is incomplete, and what follows changes nothing', () => {
  fc.assert(
    fc.property(header, fc.uint8Array({ maxLength: 40 }), (made, rest) => {
      const bytes = bytesOf(made)
      for (let length = 0; length < bytes.length; length++) {
        assert.equal(parseProxyHeader(bytes.subarray(0, length)).kind, 'incomplete')
      }
      const parsed = parseProxyHeader(Buffer.concat([bytes, rest]))
      assert.ok(parsed.kind === 'header')
      assert.equal(parsed.length, bytes.length)
      const canonical = (text: string) => ipaddr.parse(text).toString()
      assert.equal(canonical(parsed.source?.address ?? ''), canonical(made.address))
      assert.equal(parsed.source?.port, made.port)
    }),
    { numRuns: 300 },
  )
})

test('a byte that is changed never makes it throw, nor longer than allowed', () => {
  fc.assert(
    fc.property(header, fc.nat(), fc.integer({ min: 0, max: 255 }), (made, at, value) => {
      const bytes = bytesOf(made)
      bytes[at % bytes.length] = value
      const parsed = parseProxyHeader(bytes)
      if (parsed.kind !== 'header') return
      assert.ok(parsed.length <= bytes.length && parsed.length <= LONGEST_HEADER)
      if (parsed.source) assert.ok(ipaddr.isValid(parsed.source.address))
    }),
    { numRuns: 2000 },
  )
})

test('arbitrary bytes are no header', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 12, maxLength: 200 }), (bytes) => {
      assert.equal(parseProxyHeader(Buffer.from(bytes)).kind, 'invalid')
    }),
  )
})
