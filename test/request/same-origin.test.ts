import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSameOrigin } from '../../proxy/request/same-origin.ts'

const HOME = new URL('https://app.example.com')

/** Sec-Fetch-Site, Origin, whether a form may come. */
const TABLE: readonly (readonly [string | undefined, string | undefined, boolean])[] = [
  ['same-origin', 'https://app.example.com', true],
  ['same-origin', undefined, true],
  ['same-origin', 'null', true],
  ['none', undefined, true],
  ['none', 'https://app.example.com', true],
  [undefined, 'https://app.example.com', true],
  [undefined, undefined, true],

  ['cross-site', 'https://app.example.com', false],
  ['same-site', 'https://app.example.com', false],
  ['cross-site', undefined, false],
  ['same-site', undefined, false],
  ['cross-site', 'null', false],
  ['none', 'null', false],
  [undefined, 'null', false],
  ['', undefined, false],
  ['SAME-ORIGIN', undefined, false],
  ['same-origin, cross-site', undefined, false],
  ['same-origin', 'https://evil.example', false],
  ['none', 'https://evil.example', false],
  [undefined, 'https://evil.example', false],
  [undefined, 'http://app.example.com', false],
  [undefined, 'https://app.example.com:8443', false],
  [undefined, 'https://app.example.com.evil.example', false],
  [undefined, 'https://other.example.com', false],
  [undefined, 'https://app.example.com, https://evil.example', false],
  [undefined, 'https://app.example.com/', false],
  [undefined, '', false],
]

for (const [site, origin, allowed] of TABLE) {
  test(`Sec-Fetch-Site ${site} and Origin ${origin}: ${allowed ? 'ours' : 'refused'}`, () => {
    const headers = {
      ...(site !== undefined && { 'sec-fetch-site': site }),
      ...(origin !== undefined && { origin }),
    }
    assert.equal(isSameOrigin(headers, HOME), allowed)
  })
}

test('what else a request says of itself changes nothing', () => {
  const headers = { 'sec-fetch-site': 'cross-site', host: HOME.host, referer: HOME.href }
  assert.equal(isSameOrigin(headers, HOME), false)
})
