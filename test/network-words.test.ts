import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkWords } from '../proxy/network-words.ts'

test('a code of a failed connection comes with words for an operator', () => {
  const cases = [
    ['ECONNREFUSED', 'nothing listens there'],
    ['EAI_AGAIN', 'the host name does not resolve'],
    ['ENOENT', 'there is no such socket'],
    ['EACCES', 'stepgate may not connect there'],
    ['ENETUNREACH', 'there is no way to that address'],
    ['UND_ERR_CONNECT_TIMEOUT', 'no answer came in time'],
    ['UND_ERR_HEADERS_TIMEOUT', 'no answer came in time'],
    ['ETIMEDOUT', 'no answer came in time'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another host name'],
    ['CERT_HAS_EXPIRED', 'its certificate is not valid today'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'it does not speak TLS there; is http:// meant?'],
    ['UND_ERR_SOCKET', 'the connection broke off'],
  ] as const
  for (const [code, words] of cases) assert.equal(networkWords(code), `${words} (${code})`)
  for (const code of ['DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE']) {
    assert.match(networkWords(code), /not trusted; NODE_EXTRA_CA_CERTS/)
  }
})

test('without a code there are only words', () => {
  assert.equal(networkWords(undefined), 'the connection broke off')
})
