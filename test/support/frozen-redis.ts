import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

/** Something like a Redis, a sentinel and a cluster's node in one, that can freeze on a command. */
export type FrozenRedis = {
  readonly port: number
  /** How many connections to it are open. */
  connections(): number
  /** From here on it answers what it was silent about, on connections that are opened then. */
  thaw(): void
  close(): Promise<void>
}

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`

/** Starts one that answers the handshake and everything else, but never `frozenOn` or what follows. */
export async function startFrozenRedis(frozenOn: string): Promise<FrozenRedis> {
  let frozen = true
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    let silent = false
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => {})
    socket.on('data', (data) => {
      for (const command of String(data).split(/(?=\*\d+\r\n)/)) {
        silent ||= frozen && command.includes(frozenOn)
        if (!silent) socket.write(answer(command))
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  function answer(command: string): string {
    if (command.includes('SENTINEL')) return `*2\r\n${bulk('127.0.0.1')}${bulk(`${port}`)}`
    if (command.includes('ROLE')) return `*3\r\n${bulk('master')}:0\r\n*0\r\n`
    if (command.includes('EXISTS')) return ':0\r\n'
    if (command.includes('INFO')) {
      return bulk('maxmemory:1048576\r\nmaxmemory_policy:allkeys-lru\r\n')
    }
    return '+OK\r\n'
  }

  return {
    port,
    connections: () => open.size,
    thaw() {
      frozen = false
    },
    async close() {
      server.close()
      for (const socket of open) socket.destroy()
      await once(server, 'close')
    },
  }
}
