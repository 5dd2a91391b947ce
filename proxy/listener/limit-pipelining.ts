import type { IncomingMessage, Server } from 'node:http'
import type { Log } from '../log.ts'
import { addressOf } from '../request/client-address.ts'
import { noteEnd } from './linger.ts'
import type { Traffic } from './traffic.ts'
import { warnSometimes } from './warn-sometimes.ts'

/** Requests that one connection over HTTP/1.1 may have under way; as many as it has streams over HTTP/2. */
const MOST = 100

/**
 * Cuts off a connection on which further requests come before so many have been answered: node:http
 * itself hands on all that are sent. Those count too that nobody answers, as the connection ends.
 */
export function limitPipelining(
  server: Server,
  { connections }: Traffic,
  options: { readonly clock: () => number; readonly log: Pick<Log, 'warn'> },
): void {
  const warn = warnSometimes(
    options,
    `Connections with more than ${MOST} requests at once were cut off`,
  )
  // Before whoever answers it.
  server.prependListener('request', ({ socket }: IncomingMessage) => {
    const underWay = connections.get(socket)?.length ?? 0
    if (underWay < MOST || socket.destroyed) return
    warn(addressOf(socket), 'pipelining')
    // What has come with it is still handed on.
    noteEnd(socket)
    socket.destroy()
  })
}
