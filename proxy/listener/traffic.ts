import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type PlainResponse, streamOf } from './http2-messages.ts'

/** What is open and under way at a server. */
export type Traffic = {
  /** Connections over HTTP/1.1, those of WebSockets too; with TLS the inner ones. */
  readonly connections: ReadonlySet<Socket>
  /** Under way over HTTP/1.1. */
  readonly responses: ReadonlySet<ServerResponse>
  /** Under way over HTTP/2. */
  readonly streams: ReadonlySet<PlainResponse>
}

/** Keeps account of a server's traffic; a request costs one entry in a set. */
export function followTraffic(server: Server): Traffic {
  const connections = new Set<Socket>()
  const responses = new Set<ServerResponse>()
  const streams = new Set<PlainResponse>()
  const isSecure = 'setSecureContext' in server
  server.on(isSecure ? 'secureConnection' : 'connection', (socket: Socket | TLSSocket) => {
    const isHttp2 = 'alpnProtocol' in socket && socket.alpnProtocol === 'h2'
    if (!isHttp2) keepWhileOpen(connections, socket)
  })
  server.on('request', (request: IncomingMessage, response: ServerResponse | PlainResponse) => {
    if (streamOf(request) === undefined) keepWhileOpen(responses, response as ServerResponse)
    else keepWhileOpen(streams, response as PlainResponse)
  })
  return { connections, responses, streams }
}

/** Holds something in a set until it closes. */
export function keepWhileOpen<Item extends { once(event: 'close', done: () => void): unknown }>(
  set: Set<Item>,
  item: Item,
): void {
  set.add(item)
  item.once('close', () => set.delete(item))
}
