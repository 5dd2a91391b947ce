import assert from 'node:assert/strict'
import test from 'node:test'
import { mayOpenWebSocket } from '../../proxy/request/web-socket-origin.ts'

const PUBLIC = new URL('https://app.example.com')

test('a page of the public URL may open a WebSocket, and pages of the origins that are named', () => {
  const others = ['https://portal.example.com']
  assert.equal(mayOpenWebSocket('https://app.example.com', PUBLIC, []), true)
  assert.equal(mayOpenWebSocket('https://portal.example.com', PUBLIC, others), true)
  assert.equal(mayOpenWebSocket('https://portal.example.com', PUBLIC, []), false)
  assert.equal(
    mayOpenWebSocket('http://localhost:8080', new URL('http://localhost:8080'), []),
    true,
  )
})

test('everybody else may not, and who has no origin only if that is said', () => {
  for (const origin of [
    undefined,
    '',
    'null',
    'none',
    'https://evil.example',
    'https://app.example.com.',
  ]) {
    assert.equal(mayOpenWebSocket(origin, PUBLIC, []), false, `${origin}`)
    assert.equal(mayOpenWebSocket(origin, PUBLIC, ['none']), origin === undefined, `${origin}`)
  }
})
