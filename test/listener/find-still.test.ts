import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import test from 'node:test'
import { createStillFinder } from '../../proxy/listener/find-still.ts'

const LOOKS = 3

function open(request: object = {}) {
  const socket = { writableLength: 0, bytesWritten: 0, bytesRead: 100 }
  const req = {
    complete: true,
    readableFlowing: null as boolean | null,
    headers: {} as Record<string, string>,
    httpVersion: '1.1',
    ...request,
  }
  const responses = [{ req } as unknown as ServerResponse]
  const traffic = {
    connections: new Map([[socket as unknown as Socket, responses]]),
    streams: new Set<never>(),
  }
  const find = createStillFinder(traffic, LOOKS)
  /** What is found at each of so many looks. */
  const look = (times: number, between = () => {}) =>
    Array.from({ length: times }, () => {
      const kinds = find().map(({ kind }) => kind)
      between()
      return kinds
    }).flat()
  return { socket, req, responses, look }
}

const UPLOAD = { complete: false, readableFlowing: true, headers: { 'content-length': '9' } }

test('a body that somebody reads and nobody sends stands still after so many looks', () => {
  const { look } = open(UPLOAD)
  assert.deepEqual(look(LOOKS), [])
  assert.deepEqual(look(1), ['body-idle'])
})

test('any byte of a body begins the count anew', () => {
  const { look, socket } = open(UPLOAD)
  const send = () => {
    socket.bytesRead++
  }
  assert.deepEqual(look(20, send), [])
  assert.deepEqual(look(LOOKS), [])
  assert.deepEqual(look(1), ['body-idle'])
})

test('a body that is paused, or not asked for, waits for the application', () => {
  for (const readableFlowing of [false, null]) {
    assert.deepEqual(open({ ...UPLOAD, readableFlowing }).look(20), [])
  }
})

test('a client that waits to be told to send its body is not waited for', () => {
  const headers = { 'content-length': '9', expect: '100-continue' }
  assert.deepEqual(open({ ...UPLOAD, headers }).look(20), [])
})

test('a silent application is nobody’s fault', () => {
  assert.deepEqual(open().look(20), [])
})

test('a response of which nothing more is taken stands still', () => {
  const { look, socket } = open()
  Object.assign(socket, { writableLength: 500, bytesWritten: 1500 })
  assert.deepEqual(look(LOOKS + 1), ['response-idle'])
})

test('a response that is taken slowly does not, however full its buffer stays', () => {
  const { look, socket } = open()
  Object.assign(socket, { writableLength: 500, bytesWritten: 1500 })
  const take = () => {
    socket.bytesWritten++
  }
  assert.deepEqual(look(20, take), [])
})

test('bytes of further requests do not excuse who takes no response', () => {
  const { look, socket } = open()
  Object.assign(socket, { writableLength: 500, bytesWritten: 1500 })
  const send = () => {
    socket.bytesRead++
  }
  assert.deepEqual(look(LOOKS + 1, send), ['response-idle'])
})

test('a client that is still sending its body may leave the response for later', () => {
  const { look, socket } = open(UPLOAD)
  Object.assign(socket, { writableLength: 500, bytesWritten: 1500 })
  const send = () => {
    socket.bytesRead++
  }
  assert.deepEqual(look(20, send), [])
})

test('a request behind another on its connection waits for that one', () => {
  const { look, responses } = open()
  responses.push({ req: open(UPLOAD).req } as unknown as ServerResponse)
  assert.deepEqual(look(20), [])
})

test('a connection without a request, as of a WebSocket, has to take what it is sent', () => {
  const { look, socket, responses } = open()
  responses.length = 0
  assert.deepEqual(look(20), [])
  Object.assign(socket, { writableLength: 500, bytesWritten: 1500 })
  assert.deepEqual(look(LOOKS + 1), ['response-idle'])
})
