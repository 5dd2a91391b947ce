import assert from 'node:assert/strict'
import test from 'node:test'
import { acceptOf, isAccepted } from '../../proxy/upstream/web-socket-accept.ts'
import { ACCEPT, KEY } from '../support/web-socket.ts'

test('the answer to a key is that of RFC 6455', () => {
  assert.equal(acceptOf(KEY), ACCEPT)
})

test('a 101 has to answer this key, once, and name the protocol', () => {
  const right = { upgrade: 'WebSocket', 'sec-websocket-accept': ACCEPT }
  assert.equal(isAccepted(right, KEY), true)
  const twice: Record<string, string | string[]> = {
    ...right,
    'sec-websocket-accept': [ACCEPT, ACCEPT],
  }
  for (const wrong of [
    { ...right, 'sec-websocket-accept': ACCEPT.toLowerCase() },
    { upgrade: 'websocket' },
    { 'sec-websocket-accept': ACCEPT },
    { ...right, upgrade: 'h2c' },
    twice,
    {},
  ]) {
    assert.equal(isAccepted(wrong, KEY), false, JSON.stringify(wrong))
  }
})
