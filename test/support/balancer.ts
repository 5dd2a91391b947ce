import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http'

/** A plain balancer: each request goes to the next replica, over a connection of its own. */
export type Balancer = {
  /** The port of the replica that each answer came from, in the order of the answers. */
  readonly answeredBy: readonly number[]
  close(): Promise<void>
}

/**
 * Starts one on a loopback port. A replica that refuses the connection is passed over; one that dies
 * over a request has that request answered with 502, as no balancer may send a POST twice.
 */
export async function startBalancer(port: number, replicas: readonly number[]): Promise<Balancer> {
  const answeredBy: number[] = []
  let turn = 0

  function pass(incoming: IncomingMessage, outgoing: ServerResponse, body: Buffer, tries = 0) {
    const replica = replicas[turn++ % replicas.length] ?? 0
    const { method = 'GET', url = '/', headers, socket } = incoming
    const sent = { ...headers, 'x-forwarded-for': socket.remoteAddress, connection: 'close' }
    const onward = request(
      { host: '127.0.0.1', port: replica, method, path: url, headers: sent, agent: false },
      (answer) => {
        answeredBy.push(replica)
        outgoing.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers))
        answer.on('error', () => outgoing.destroy()).pipe(outgoing)
      },
    )
    onward.on('error', (error) => {
      const refused = 'code' in error && error.code === 'ECONNREFUSED'
      if (refused && tries < replicas.length) return pass(incoming, outgoing, body, tries + 1)
      if (outgoing.headersSent) outgoing.destroy()
      else outgoing.writeHead(502).end()
    })
    onward.end(body)
  }

  const server = createServer((incoming, outgoing) => {
    const pieces: Buffer[] = []
    incoming.on('data', (piece) => pieces.push(piece))
    incoming.on('end', () => pass(incoming, outgoing, Buffer.concat(pieces)))
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    answeredBy,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function endToEnd({ connection, 'keep-alive': keepAlive, ...headers }: IncomingHttpHeaders) {
  return headers
}
