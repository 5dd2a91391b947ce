import type { Server, ServerResponse } from 'node:http'
import type { Server as Listening, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { streamOf } from './listener/http2-messages.ts'

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
): () => Promise<void> {
  const sockets = new Set<Socket>()
  const established = new Set<Socket>()
  const responses = new Set<ServerResponse>()
  let draining = false

  const busy = () => new Set([...responses].map(({ req }) => req.socket))
  const waiting = new Set<Socket>()
  listening.on('connection', (socket: Socket) => {
    keepWhileOpen(sockets, socket)
    if (listening !== server) keepWhileOpen(waiting, socket)
  })
  server.on('connection', (socket: Socket) => waiting.delete(socket))
  const isSecure = 'setSecureContext' in server
  server.on(isSecure ? 'secureConnection' : 'connection', (socket: Socket | TLSSocket) => {
    const isHttp2 = 'alpnProtocol' in socket && socket.alpnProtocol === 'h2'
    if (!isHttp2) keepWhileOpen(established, socket)
  })
  server.on('request', (request, response) => {
    if (streamOf(request) !== undefined) return
    const { socket } = request
    responses.add(response)
    if (draining) response.shouldKeepAlive = false
    response.once('close', () => {
      responses.delete(response)
      if (draining && !busy().has(socket)) socket.destroySoon()
    })
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
      for (const response of responses) {
        if (!response.headersSent) response.shouldKeepAlive = false
      }
      const idle = established.difference(busy())
      destroyAll([...idle].filter((socket) => !others.has(socket)))
    })
}

function keepWhileOpen(set: Set<Socket>, socket: Socket): void {
  set.add(socket)
  socket.once('close', () => set.delete(socket))
}

function destroyAll(sockets: Iterable<Socket>): void {
  for (const socket of sockets) socket.destroy()
}
