import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** One connection that a raw application has accepted, with all that came over it. */
export type RawConnection = { readonly socket: Socket; received: string }

/** Listens on a free loopback port and closes everything when the test ends. */
export async function listen(t: TestContext, server: Server, path?: string): Promise<number> {
  const sockets = new Set<Socket>()
  const track = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  }
  server.on('connection', track).on('secureConnection', track)
  if (path === undefined) server.listen(0, '127.0.0.1')
  else server.listen(path)
  await once(server, 'listening')
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/**
 * An application that is nothing but sockets: `react` sees each arrival with all that its connection
 * has sent so far (latin1), and writes what it likes.
 */
export async function rawApplication(
  t: TestContext,
  react: (connection: RawConnection, all: readonly RawConnection[]) => void,
): Promise<{ origin: URL; connections: readonly RawConnection[] }> {
  const connections: RawConnection[] = []
  const server = createServer((socket) => {
    const connection = { socket: socket.setMaxListeners(0), received: '' }
    connections.push(connection)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      connection.received += chunk.toString('latin1')
      react(connection, connections)
    })
  })
  const port = await listen(t, server)
  return { origin: new URL(`http://127.0.0.1:${port}`), connections }
}

/** An application that answers each complete head with these bytes (latin1), once a connection. */
export function answering(bytes: string): (connection: RawConnection) => void {
  const answered = new WeakSet<RawConnection>()
  return (connection) => {
    if (answered.has(connection) || !connection.received.includes('\r\n\r\n')) return
    answered.add(connection)
    connection.socket.write(bytes, 'latin1')
  }
}

/** A client that writes raw bytes (latin1) and gathers what comes back. */
export type RawClient = {
  readonly socket: Socket
  readonly received: () => string
  /** Resolves when the received text passes; rejects when the connection ends without. */
  until(passes: (text: string) => boolean): Promise<string>
  /** How the connection ended, with all that came. */
  readonly ended: Promise<{ text: string; reset: boolean }>
}

export function rawClient(t: TestContext, port: number, bytes = ''): RawClient {
  const socket = connect(port, '127.0.0.1').setMaxListeners(0)
  t.after(() => socket.destroy())
  let text = ''
  let reset = false
  socket.on('error', () => {
    reset = true
  })
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  if (bytes !== '') socket.write(bytes, 'latin1')
  return {
    socket,
    received: () => text,
    until: (passes) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (passes(text)) resolve(text)
        }
        socket.on('data', check)
        socket.on('close', () => {
          check()
          reject(new Error(`closed with ${JSON.stringify(text)}`))
        })
        check()
      }),
    ended: new Promise((resolve) => socket.on('close', () => resolve({ text, reset }))),
  }
}
