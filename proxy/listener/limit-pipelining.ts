import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Log } from '../log.ts'
import { addressOf } from '../request/client-address.ts'
import { endGently } from './linger.ts'
import type { Traffic } from './traffic.ts'
import { warnSometimes } from './warn-sometimes.ts'

/** Requests that one connection over HTTP/1.1 may have under way. */
const MOST = 16

/** Requests that are dropped before their connection is cut off. */
const MOST_DROPPED = 100

/**
 * Ends a connection that has so many requests under way: node:http itself hands on all that are sent.
 * They are answered, the last of them says that the connection ends, and what comes behind it is no
 * longer taken for a request. A client that sends much more all the same is cut off.
 */
export function limitPipelining(
  server: Server,
  { connections }: Traffic,
  options: { readonly clock: () => number; readonly log: Pick<Log, 'warn'> },
): void {
  const warn = warnSometimes(
    options,
    `Requests behind ${MOST} at once on a connection were not taken`,
  )
  const underWay = ({ socket }: IncomingMessage) => connections.get(socket)?.length ?? 0
  // Before whoever answers it.
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    if (underWay(request) === MOST - 1) response.shouldKeepAlive = false
  })
  // Behind whoever has taken it.
  server.on('request', (request: IncomingMessage) => {
    const { socket } = request
    const count = underWay(request)
    if (count === MOST) endGently(socket)
    if (count === MOST + 1) warn(addressOf(socket), 'pipelining')
    if (count > MOST + MOST_DROPPED) socket.destroy()
  })
}
