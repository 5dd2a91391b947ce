import type { Socket } from 'node:net'

/** Who a balancer says has connected to it; absent: it speaks for itself, or does not know. */
export type NamedPeer = { readonly address: string; readonly port: number } | undefined

// A symbol, as Node's stand-in for the socket of an HTTP/2 stream passes properties on.
const NAMELESS = Symbol('nobody is named')

/** Makes the peer of a connection the one whom the balancer names. */
export function setPeer(socket: Socket, peer: NamedPeer): void {
  if (peer === undefined) {
    Object.defineProperty(socket, NAMELESS, { value: true })
    return
  }
  const { address, port } = peer
  Object.defineProperties(socket, {
    remoteAddress: { value: address, configurable: true },
    remotePort: { value: port, configurable: true },
    remoteFamily: { value: address.includes(':') ? 'IPv6' : 'IPv4', configurable: true },
  })
}

/**
 * Whether a balancer did not name who is behind a connection. Its own address is all that is known,
 * and no reason to believe the headers that come from there.
 */
export function isNameless(socket: object): boolean {
  return NAMELESS in socket
}
