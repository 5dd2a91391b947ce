import type { Server, ServerResponse } from 'node:http'
import type { Server as Listening, Socket } from 'node:net'
import { createBag } from './listener/bag.ts'
import { streamOf } from './listener/http2-messages.ts'
import { endsSoon, noteEnd } from './listener/linger.ts'
import { followTraffic, keepWhileOpen, type Traffic } from './listener/traffic.ts'

/**
 * Prepares a server, before it listens, for a gentle end. What comes back stops listening, closes
 * idle connections at once and every other one when its responses are through, and after `patience` ms
 * whatever is left. HTTP/2 sessions take no more requests and end by themselves after the last.
 * `listening` is what accepts the connections, if not the server itself; `traffic` is the server's.
 * Connections in `others` (those of WebSockets) have no response under way and are left alone:
 * somebody else ends them.
 */
export function prepareDrain(
  server: Server,
  patience: number,
  listening: Listening = server,
  others: { has(socket: Socket): boolean } = new Set(),
  { connections }: Traffic = followTraffic(server),
): () => Promise<void> {
  const sockets = createBag<Socket>()
  let draining = false

  const waiting = new Set<Socket>()
  listening.on('connection', (socket: Socket) => {
    keepWhileOpen(sockets, socket)
    if (listening === server) return
    waiting.add(socket)
    socket.once('close', () => waiting.delete(socket))
  })
  server.on('connection', (socket: Socket) => waiting.delete(socket))
  const endAfter = (response: ServerResponse) => {
    const { socket } = response.req
    response.once('close', () => {
      if (!connections.get(socket)?.length) socket.destroySoon()
    })
  }
  // node:http ends a connection behind the first response that says so, whatever has been asked since.
  const endWith = (response: ServerResponse) => {
    const { socket } = response.req
    if (response.headersSent || endsSoon(socket)) return
    response.shouldKeepAlive = false
    noteEnd(socket)
  }
  server.on('request', (request, response) => {
    if (!draining || streamOf(request) !== undefined) return
    endWith(response)
    endAfter(response)
  })

  // Node's own close takes a response for idle that was written but not yet read, and cuts it off.
  server.closeIdleConnections = () => {}

  return () =>
    new Promise((resolve) => {
      draining = true
      const timer = setTimeout(() => destroyAll(sockets), patience)
      listening.close(() => {
        clearTimeout(timer)
        resolve()
      })
      if (listening !== server) server.close()
      destroyAll(waiting)
      for (const [socket, responses] of connections) {
        for (const response of responses) endAfter(response)
        const last = responses.at(-1)
        if (last !== undefined) endWith(last)
        else if (!others.has(socket)) socket.destroy()
      }
    })
}

function destroyAll(sockets: Iterable<Socket>): void {
  for (const socket of sockets) socket.destroy()
}
