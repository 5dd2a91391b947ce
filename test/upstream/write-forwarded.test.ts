import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readHops } from '../../proxy/request/forwarding-headers.ts'
import { writeForwarded } from '../../proxy/upstream/write-forwarded.ts'

test('IPv6 is in brackets and quotes, a host with a port in quotes', () => {
  assert.equal(
    writeForwarded(['203.0.113.9'], 'app.example.com', 'https'),
    'for=203.0.113.9;host=app.example.com;proto=https',
  )
  assert.equal(
    writeForwarded(['2001:db8::9', '10.1.2.3', 'fd00::1'], '[::1]:8080', 'http'),
    'for="[2001:db8::9]";host="[::1]:8080";proto=http, for=10.1.2.3, for="[fd00::1]"',
  )
  assert.equal(writeForwarded([], 'a"b\\c', 'http'), 'for=unknown;host="a\\"b\\\\c";proto=http')
})

test('what is written reads back as it was', () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6())
  const chain = fc.array(address, { minLength: 1, maxLength: 4 })
  const host = fc.stringMatching(/^[ -~]{1,20}$/)
  fc.assert(
    fc.property(chain, host, fc.constantFrom('http', 'https'), (hops, name, proto) => {
      const headers = ['Forwarded', writeForwarded(hops, name, proto)]
      const read = readHops(headers, 'forwarded')
      assert.deepEqual(read.hops, hops)
      assert.equal(read.protos[0], proto)
      assert.equal(read.hosts[0], name)
    }),
  )
})
