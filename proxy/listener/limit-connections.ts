import type { Server, Socket } from 'node:net'
import type { Log } from '../log.ts'
import { addressOf, networkOf, type TrustedNetworks, UNIX } from '../request/client-address.ts'
import { warnSometimes } from './warn-sometimes.ts'

/** What decides about one connection too many. */
export type ConnectionLimit = {
  /** Of one address, of IPv6 one /64. */
  readonly limit: number
  /** Their connections are those of many clients. */
  readonly trusted: TrustedNetworks
  /** Epoch ms */
  readonly clock: () => number
  readonly log: Pick<Log, 'warn'>
}

/**
 * Cuts off the connections that one client address has beyond the limit. With the PROXY protocol the
 * client is whom the balancer names; a trusted proxy is none, and nobody on a unix socket.
 */
export function limitConnections(
  server: Pick<Server, 'on'>,
  { limit, trusted, clock, log }: ConnectionLimit,
): void {
  if (limit === Number.POSITIVE_INFINITY) return
  const open = new Map<string, number>()
  const warn = warnSometimes(
    { clock, log },
    'Connections beyond STEPGATE_CONNECTIONS_PER_ADDRESS were cut off',
  )
  // Whoever serves the connection has it already, and hears of its end.
  server.on('connection', (socket: Socket) => {
    const address = addressOf(socket)
    if (address === UNIX || trusted(address)) return
    const network = networkOf(address)
    const count = open.get(network) ?? 0
    if (count >= limit) {
      warn(address, 'connections')
      socket.destroy()
      return
    }
    open.set(network, count + 1)
    socket.once('close', () => {
      const left = (open.get(network) ?? 1) - 1
      if (left > 0) open.set(network, left)
      else open.delete(network)
    })
  })
}
