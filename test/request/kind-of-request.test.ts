import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import { describe, test } from 'node:test'
import { isPrefetch, kindOf } from '../../proxy/request/kind-of-request.ts'

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

describe('kind of request', () => {
  const table: readonly (readonly [string, string, IncomingHttpHeaders, string])[] = [
    ['a page', 'GET', { 'sec-fetch-mode': 'navigate', accept: BROWSER }, 'navigation'],
    ['a frame', 'GET', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }, 'navigation'],
    ['a form', 'POST', { 'sec-fetch-mode': 'navigate' }, 'navigation'],
    ['a script that wants HTML', 'GET', { 'sec-fetch-mode': 'cors', accept: BROWSER }, 'fetch'],
    ['an image', 'GET', { 'sec-fetch-mode': 'no-cors', accept: 'image/*' }, 'fetch'],
    ['an old browser', 'GET', { accept: BROWSER }, 'navigation'],
    ["an old browser's form", 'POST', { accept: BROWSER }, 'navigation'],
    ['XHTML alone', 'GET', { accept: 'application/xhtml+xml' }, 'navigation'],
    ['old jQuery', 'GET', { accept: BROWSER, 'x-requested-with': 'XMLHttpRequest' }, 'fetch'],
    ['a PUT without Fetch Metadata', 'PUT', { accept: BROWSER }, 'fetch'],
    ['curl', 'GET', { accept: '*/*' }, 'fetch'],
    ['no Accept', 'GET', {}, 'fetch'],
    ['JSON', 'GET', { accept: 'application/json' }, 'fetch'],
    ['HTML refused', 'GET', { accept: 'text/html;q=0, */*' }, 'fetch'],
    ['HTML hardly wanted', 'GET', { accept: 'text/html;q=0.1' }, 'navigation'],
    ['something like HTML', 'GET', { accept: 'text/html-ish' }, 'fetch'],
    ['a WebSocket', 'GET', { upgrade: 'websocket', 'sec-fetch-mode': 'websocket' }, 'upgrade'],
    ['a WebSocket in capitals', 'GET', { upgrade: 'WebSocket' }, 'upgrade'],
    ['h2c', 'GET', { upgrade: 'h2c', accept: '*/*' }, 'fetch'],
    ['h2c of a browser', 'GET', { upgrade: 'h2c', accept: BROWSER }, 'navigation'],
  ]
  for (const [name, method, headers, kind] of table) {
    test(`${name}: ${kind}`, () => assert.equal(kindOf(method, headers), kind))
  }
})

test('loading ahead of the person is told by any of the headers that browsers use', () => {
  const yes: IncomingHttpHeaders[] = [
    { 'sec-purpose': 'prefetch' },
    { 'sec-purpose': 'prefetch;prerender' },
    { purpose: 'prefetch' },
    { purpose: 'preview' },
    { 'x-purpose': 'preview' },
    { 'x-moz': 'prefetch' },
    { 'x-moz': 'Prefetch' },
  ]
  for (const headers of yes) assert.equal(isPrefetch(headers), true, JSON.stringify(headers))
  const no: IncomingHttpHeaders[] = [{}, { purpose: '' }, { accept: 'prefetch' }]
  for (const headers of no) assert.equal(isPrefetch(headers), false, JSON.stringify(headers))
})
