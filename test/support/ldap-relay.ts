import { once } from 'node:events'
import net from 'node:net'

/** What a client asked for: the tag of the LDAP operation (RFC 4511 §4). */
export type LdapOperation = 'bind' | 'search' | 'other'

/** A relay before an LDAP server that sees each connection's plain requests and may cut it. */
export type LdapRelay = {
  readonly url: URL
  /** Per connection, in the order in which they were opened, what was asked on it. */
  readonly connections: readonly (readonly LdapOperation[])[]
  stop(): Promise<void>
}

export type LdapRelayOptions = {
  /** Whether to cut the connection instead of passing this request on. */
  readonly cutAt?: (operation: LdapOperation, connection: number) => boolean
  /** Instead of the server's own answer. */
  readonly answer?: (request: Buffer, operation: LdapOperation) => Buffer | undefined
}

/** Listens on a free loopback port and passes on to `target`. */
export async function startLdapRelay(target: URL, options: LdapRelayOptions): Promise<LdapRelay> {
  const connections: LdapOperation[][] = []
  const sockets = new Set<net.Socket>()
  const server = net.createServer((client) => {
    const operations: LdapOperation[] = []
    const number = connections.push(operations)
    const upstream = net.connect(Number(target.port), target.hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        client.destroy()
        upstream.destroy()
      })
    }
    upstream.pipe(client)
    client.on('data', (chunk) => {
      const data = chunk as Buffer
      const seen = operationsIn(data)
      operations.push(...seen)
      if (seen.some((operation) => options.cutAt?.(operation, number))) {
        client.destroy()
        return
      }
      const own = options.answer?.(data, seen[0] ?? 'other')
      if (own) client.write(own)
      else upstream.write(data)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as net.AddressInfo

  return {
    url: new URL(`ldap://127.0.0.1:${port}`),
    connections,
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise((closed) => server.close(closed))
    },
  }
}

/** Reads whole messages; a client sends such small ones in one piece. */
function operationsIn(data: Buffer): LdapOperation[] {
  const found: LdapOperation[] = []
  for (let at = 0; at < data.length; ) {
    const message = contentAt(data, at)
    const id = contentAt(data, message.start)
    const tag = data[id.end]
    found.push(tag === 0x60 ? 'bind' : tag === 0x63 ? 'search' : 'other')
    at = message.end
  }
  return found
}

/** Where the content of the BER element at `at` starts and ends (X.690 §8.1.3). */
function contentAt(data: Buffer, at: number): { start: number; end: number } {
  const first = data[at + 1] ?? 0
  if (first < 0x80) return { start: at + 2, end: at + 2 + first }
  const size = first & 0x7f
  const start = at + 2 + size
  return { start, end: start + data.readUIntBE(at + 2, size) }
}
