import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Server } from 'node:net'
import test from 'node:test'
import { dropGone } from '../../proxy/listener/drop-gone.ts'
import { limitConnections } from '../../proxy/listener/limit-connections.ts'
import { parseNetworks } from '../../proxy/request/client-address.ts'

function openServer(limit: number, trusted: readonly string[] = []) {
  const server = new EventEmitter()
  const warnings: unknown[] = []
  let now = 1
  limitConnections(server as unknown as Server, {
    limit,
    trusted: parseNetworks(trusted),
    clock: () => now,
    log: { warn: (_, fields) => warnings.push(fields) },
  })
  const connect = (remoteAddress: string | undefined) => {
    let isOpen = true
    const socket = Object.assign(new EventEmitter(), {
      remoteAddress,
      destroy() {
        if (isOpen) socket.emit('close')
        isOpen = false
      },
      isOpen: () => isOpen,
    })
    server.emit('connection', socket)
    return socket
  }
  const turn = (ms: number) => {
    now += ms
  }
  return { connect, warnings, turn }
}

test('connections of one address beyond the limit are cut off, until one of the others ends', () => {
  const { connect } = openServer(2)
  const [first, second, third] = [connect('192.0.2.1'), connect('192.0.2.1'), connect('192.0.2.1')]
  assert.deepEqual(
    [first, second, third].map((socket) => socket.isOpen()),
    [true, true, false],
  )
  assert.ok(connect('192.0.2.2').isOpen())
  first.destroy()
  assert.ok(connect('::ffff:192.0.2.1').isOpen())
  assert.ok(!connect('192.0.2.1').isOpen())
})

test('a /64 of IPv6 is one address', () => {
  const { connect } = openServer(1)
  assert.ok(connect('2001:db8::1').isOpen())
  assert.ok(!connect('2001:db8::2').isOpen())
  assert.ok(connect('2001:db8:0:1::1').isOpen())
})

test('trusted proxies and peers on a unix socket have as many as they like', () => {
  const { connect } = openServer(1, ['10.0.0.0/8'])
  for (const address of ['10.0.0.1', '10.0.0.1', undefined, undefined]) {
    assert.ok(connect(address).isOpen())
  }
})

test('one line a minute says how many there were', () => {
  const { connect, warnings, turn } = openServer(1)
  for (let count = 0; count < 5; count++) connect('192.0.2.1')
  turn(60_000)
  connect('192.0.2.1')
  const line = { client: '192.0.2.1', reason: 'connections' }
  assert.deepEqual(warnings, [
    { ...line, connections: 1 },
    { ...line, connections: 4 },
  ])
})

test('without a limit nothing is counted', () => {
  const { connect } = openServer(Number.POSITIVE_INFINITY)
  assert.ok(connect('192.0.2.1').isOpen())
})

test('who has no address any more is cut off, over TLS too', () => {
  const server = new EventEmitter()
  dropGone(server as unknown as Server)
  for (const event of ['connection', 'secureConnection']) {
    const cut = ['192.0.2.1', undefined].map((remoteAddress) => {
      const socket = { remoteAddress, cut: false, destroy: () => (socket.cut = true) }
      server.emit(event, socket)
      return socket.cut
    })
    assert.deepEqual(cut, [false, true], event)
  }
})
