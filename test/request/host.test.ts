import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type HostProblem, parseHost } from '../../proxy/request/host.ts'

function problemOf(...rawHeaders: string[]): HostProblem | undefined {
  const parsed = parseHost(rawHeaders)
  return parsed.kind === 'rejected' ? parsed.reason : undefined
}

describe('hosts that are accepted', () => {
  const table = {
    'app.example.com': 'app.example.com',
    'APP.Example.COM': 'app.example.com',
    'app.example.com:8443': 'app.example.com',
    'app.example.com.': 'app.example.com',
    'app.example.com.:80': 'app.example.com',
    localhost: 'localhost',
    'my_app.local': 'my_app.local',
    'xn--bcher-kva.example': 'xn--bcher-kva.example',
    '127.0.0.1:8080': '127.0.0.1',
    '[::1]': '[::1]',
    '[0:0:0:0:0:0:0:1]:8080': '[::1]',
    '[2001:DB8::A]:1': '[2001:db8::a]',
  }
  for (const [authority, host] of Object.entries(table)) {
    test(authority, () => {
      const parsed = parseHost(['Accept', '*/*', 'Host', authority])
      assert.deepEqual(parsed, { kind: 'ok', host, authority })
    })
  }
})

describe('hosts that are refused', () => {
  const junk = [
    '',
    ' ',
    '.',
    'a..b',
    '.a',
    'a b',
    'a/b',
    'a\\b',
    'http://a',
    'user@a',
    'a?b',
    'a#b',
    'a,b',
    'a%2eb',
    'a*b',
    'a:',
    'a:0',
    'a:65536',
    'a:100000',
    'a:x',
    'a:80:80',
    'a:-1',
    'a: 80',
    '::1',
    '[::1',
    '[::1]x',
    '[::zz]',
    '[1.2.3.4]',
    '[]',
    '[fe80::1%25eth0]',
    'b\xfccher.example',
    'a\t',
    "a'b",
    '999.999.999.999',
    '1.2.3.4.5',
    'a'.repeat(301),
  ]
  for (const authority of junk) {
    test(JSON.stringify(authority), () => {
      assert.equal(problemOf('Host', authority), 'malformed-host')
    })
  }

  test('none', () => {
    assert.equal(problemOf(), 'missing-host')
    assert.equal(problemOf('X-Host', 'a', 'Accept', 'host'), 'missing-host')
  })

  test('two, in any case, even the same', () => {
    assert.equal(problemOf('Host', 'a', 'Host', 'a'), 'repeated-host')
    assert.equal(problemOf('Host', 'a', 'X', 'y', 'hOST', 'b'), 'repeated-host')
  })
})
