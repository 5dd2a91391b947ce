import { AsyncLocalStorage } from 'node:async_hooks'
import type { Server as HttpServer } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { isLoopbackHost } from '../config/loopback.ts'
import type { Log } from '../log.ts'
import { addressOf, type TrustedNetworks, UNIX } from '../request/client-address.ts'
import { type NamedPeer, setPeer } from './peer.ts'
import { parseProxyHeader } from './proxy-header.ts'
import { warnSometimes } from './warn-sometimes.ts'

/** What decides about connections that begin with a PROXY protocol header. */
export type ProxiedOptions = {
  /** Balancers whose headers are believed. */
  readonly trusted: TrustedNetworks
  /** How long a header may take, in ms. */
  readonly timeout: number
  /** Epoch ms */
  readonly clock: () => number
  readonly log: Log
}

type Refusal = 'not_trusted' | 'no_header' | 'too_late'

/**
 * A server to listen with in front of `server`: each connection has to begin with a PROXY protocol
 * header from a trusted balancer, and is handed on as one of the client that the header names.
 * A connection without one is cut off. Only a health check from this machine may come without being
 * trusted, and only with a header that names nobody.
 */
export function acceptProxied(server: HttpServer, options: ProxiedOptions): Server {
  const { trusted, timeout } = options
  const isSecure = 'setSecureContext' in server
  const peers = new AsyncLocalStorage<{ readonly peer: NamedPeer }>()
  const warn = warnSometimes(
    options,
    'Connections without a PROXY protocol header that counts were cut off',
  )
  // As http.Server has it for itself; a TLS connection ends when the client ends it.
  const outer = createServer({ allowHalfOpen: !isSecure, noDelay: true }, (socket) => {
    const address = addressOf(socket)
    const refuse = (reason: Refusal) => {
      warn(address, reason)
      socket.destroy()
    }
    const isTrusted = trusted(address)
    if (!isTrusted && !isLocal(address)) return refuse('not_trusted')
    readHeader(socket, timeout, refuse, (peer) => {
      if (!isTrusted && peer !== undefined) return refuse('not_trusted')
      setPeer(socket, peer)
      peers.run({ peer }, () => server.emit('connection', socket))
    })
  })
  if (isSecure) {
    // TLS has a socket of its own, which asks the system for its peer; it is made in `run` above.
    server.prependListener('secureConnection', (socket: Socket) => {
      const found = peers.getStore()
      if (found === undefined) socket.destroy()
      else setPeer(socket, found.peer)
    })
  }
  // The server never listens itself, and would not look after slow and idle connections.
  outer.on('listening', () => server.emit('listening'))
  return outer
}

function isLocal(address: string): boolean {
  return address === UNIX || isLoopbackHost(address.includes(':') ? `[${address}]` : address)
}

/** Takes the header off a new connection, whose first read after that is of its own bytes. */
function readHeader(
  socket: Socket,
  timeout: number,
  refuse: (reason: Refusal) => void,
  accept: (peer: NamedPeer) => void,
): void {
  let bytes: Buffer = Buffer.alloc(0)
  const timer = setTimeout(() => refuse('too_late'), timeout)
  const onReadable = () => {
    for (let piece = socket.read(); piece !== null; piece = socket.read()) {
      bytes = bytes.length === 0 ? piece : Buffer.concat([bytes, piece])
      const header = parseProxyHeader(bytes)
      if (header.kind === 'incomplete') continue
      finish()
      if (header.kind === 'invalid') return refuse('no_header')
      const rest = bytes.subarray(header.length)
      if (rest.length > 0) socket.unshift(rest)
      return accept(header.source)
    }
  }
  const onEnd = () => socket.destroy()
  const finish = () => {
    clearTimeout(timer)
    socket.off('readable', onReadable).off('end', onEnd).off('error', onEnd).off('close', finish)
  }
  socket.on('readable', onReadable).on('end', onEnd).on('error', onEnd).on('close', finish)
}
