import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mustBeForgotten } from '../../proxy/upstream/session-page.ts'

const NOW = Date.parse('2026-11-24T12:00:00Z')
const page = { method: 'GET', headers: { 'sec-fetch-mode': 'navigate' } }

const forgotten = (headers: Record<string, string>, request: typeof page = page) =>
  mustBeForgotten(request, headers, NOW)

describe('a page of a session', () => {
  it('must be forgotten where the application gives it no lifetime', () => {
    for (const cacheControl of [
      '',
      'private',
      'no-cache',
      'max-age=0, private, must-revalidate',
      'max-age="0"',
      'private, max-age=00',
    ]) {
      assert.equal(forgotten({ 'cache-control': cacheControl }), true, cacheControl)
    }
    assert.equal(forgotten({}), true)
    assert.equal(forgotten({ expires: '0' }), true)
    assert.equal(forgotten({ expires: 'Thu, 19 Nov 1981 08:52:00 GMT' }), true)
    assert.equal(forgotten({ expires: new Date(NOW).toUTCString() }), true)
    const future = new Date(NOW + 60_000).toUTCString()
    assert.equal(forgotten({ expires: future, 'cache-control': 'max-age=0' }), true)
    assert.equal(forgotten({}, { ...page, method: 'POST' }), true)
  })

  it('may be kept as long as the application says, and is left alone where it says enough', () => {
    for (const cacheControl of [
      'max-age=60',
      'private, Max-Age = 05',
      'max-age="10"',
      'public, s-maxage=1',
      'no-store',
      'private, No-Store, max-age=0',
    ]) {
      assert.equal(forgotten({ 'cache-control': cacheControl }), false, cacheControl)
    }
    assert.equal(forgotten({ expires: new Date(NOW + 60_000).toUTCString() }), false)
  })

  it('is not what a page is made of, or what its scripts ask for', () => {
    for (const mode of ['no-cors', 'cors', 'same-origin']) {
      assert.equal(forgotten({}, { method: 'GET', headers: { 'sec-fetch-mode': mode } }), false)
    }
  })
})
