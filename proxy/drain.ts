import type { Server, ServerResponse } from 'node:http'
import { Server as SecureServer } from 'node:https'
import type { Socket } from 'node:net'

/**
 * Prepares a server, before it listens, for a gentle end. What comes back stops listening, closes
 * idle connections at once and every other one when its response is through, and after `patience` ms
 * whatever is left. Those of `others` somebody else ends.
 */
export function prepareDrain(
  server: Server,
  patience: number,
  others: { has(socket: Socket): boolean } = new Set(),
): () => Promise<void> {
  const sockets = new Set<Socket>()
  const established = new Set<Socket>()
  const responses = new Set<ServerResponse>()
  let draining = false

  const busy = () => new Set([...responses].map(({ req }) => req.socket))
  server.on('connection', (socket: Socket) => keepWhileOpen(sockets, socket))
  server.on(server instanceof SecureServer ? 'secureConnection' : 'connection', (socket: Socket) =>
    keepWhileOpen(established, socket),
  )
  server.on('request', ({ socket }, response) => {
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
      server.close(() => {
        clearTimeout(timer)
        resolve()
      })
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
