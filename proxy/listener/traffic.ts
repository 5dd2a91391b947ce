import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type Bag, createBag } from './bag.ts'
import { type PlainResponse, streamOf } from './http2-messages.ts'

/** What is open and under way at a server. */
export type Traffic = {
  /**
   * Connections over HTTP/1.1, those of WebSockets too; with TLS the inner ones. Each with its responses
   * under way in the order of their requests: the first is the one that is being sent.
   */
  readonly connections: ReadonlyMap<Socket, readonly ServerResponse[]>
  /** Under way over HTTP/2. */
  readonly streams: Iterable<PlainResponse>
}

/** Keeps account of a server's traffic; a request costs one entry in a list. */
export function followTraffic(server: Server): Traffic {
  const connections = new Map<Socket, ServerResponse[]>()
  const streams = createBag<PlainResponse>()
  const isSecure = 'setSecureContext' in server
  server.on(isSecure ? 'secureConnection' : 'connection', (socket: Socket | TLSSocket) => {
    if ('alpnProtocol' in socket && socket.alpnProtocol === 'h2') return
    connections.set(socket, [])
    socket.once('close', () => connections.delete(socket))
  })
  server.on('request', (request: IncomingMessage, response: ServerResponse | PlainResponse) => {
    if (streamOf(request) !== undefined) return keepWhileOpen(streams, response as PlainResponse)
    const responses = connections.get(request.socket)
    if (responses === undefined) return
    responses.push(response as ServerResponse)
    response.once('close', () => responses.splice(responses.indexOf(response as ServerResponse), 1))
  })
  return { connections, streams }
}

/** Holds something in a bag until it closes. */
export function keepWhileOpen<Item extends { once(event: 'close', done: () => void): unknown }>(
  bag: Bag<Item>,
  item: Item,
): void {
  const place = bag.add(item)
  item.once('close', () => bag.remove(place))
}
