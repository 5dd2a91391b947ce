import type { Server, Socket } from 'node:net'

/**
 * Cuts off who has left before anybody looked: the system no longer knows the address, and without one
 * a peer would be taken for one on a unix socket. The address of all others is kept by this look.
 */
export function dropGone(server: Pick<Server, 'on'>): void {
  for (const event of ['connection', 'secureConnection']) {
    server.on(event, (socket: Socket) => {
      if (socket.remoteAddress === undefined) socket.destroy()
    })
  }
}
