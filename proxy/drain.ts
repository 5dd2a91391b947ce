import type { Server, ServerResponse } from 'node:http'
import type { Server as Listening, Socket } from 'node:net'
import { createBag } from './listener/bag.ts'
import { streamOf } from './listener/http2-messages.ts'
import { followTraffic, keepWhileOpen, type Traffic } from './listener/traffic.ts'

/**
 * Prepares a server, before it listens, for a gentle end. What comes back stops listening, closes
 * idle connections at once and every other one when its response is through, and after `patience` ms
 * whatever is left. HTTP/2 sessions take no more requests and end by themselves after the last.
 * `listening` is what accepts the connections; those of `others` somebody else ends.
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
  server.on('request', (request, response) => {
    if (!draining || streamOf(request) !== undefined) return
    response.shouldKeepAlive = false
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
        for (const response of responses) {
          endAfter(response)
          if (!response.headersSent) response.shouldKeepAlive = false
        }
        if (responses.length === 0 && !others.has(socket)) socket.destroy()
      }
    })
}

function destroyAll(sockets: Iterable<Socket>): void {
  for (const socket of sockets) socket.destroy()
}
