import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { followTraffic } from '../../proxy/listener/traffic.ts'

test('responses of a connection stand in the order of their requests, whichever ends first', () => {
  const server = new EventEmitter()
  const { connections } = followTraffic(server as Server)
  const socket = new EventEmitter() as Socket
  server.emit('connection', socket)
  const responses = ['a', 'b', 'c'].map((name) => Object.assign(new EventEmitter(), { name }))
  for (const response of responses) {
    server.emit('request', { socket, httpVersionMajor: 1 }, response)
  }
  assert.deepEqual(connections.get(socket), responses)
  const [first, second, third] = responses
  second?.emit('close')
  assert.deepEqual(connections.get(socket), [first, third])
  first?.emit('close')
  assert.deepEqual(connections.get(socket), [third])
  socket.emit('close')
  assert.equal(connections.size, 0)
})
