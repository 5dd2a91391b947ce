import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { acceptOf } from '../../proxy/upstream/web-socket-accept.ts'
import { sealSession } from './seal-session.ts'
import type { Setting } from './setting.ts'
import { startMeasured } from './stepgate.ts'
import type { Line } from './table.ts'

const BEFORE = 2000
const OPEN = 5000
const MOST = 15
const AT_ONCE = 50
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

/**
 * What an open WebSocket costs: resident memory after a collection of garbage, before and after so
 * many are opened, each of a session of its own. Some are open before, since what a process grows to
 * when it is first busy is not what a WebSocket costs. Application and clients are in this process.
 */
export async function holdSockets(setting: Setting): Promise<Line[]> {
  const application = await startApplication()
  const { port } = application.address() as AddressInfo
  const stepgate = await startMeasured(setting, {
    STEPGATE_UPSTREAM: `http://127.0.0.1:${port}`,
    STEPGATE_RULES: 'basic /**',
  })
  const sockets: Socket[] = []
  try {
    sockets.push(...(await openSockets(stepgate.origin, 0, BEFORE)))
    const before = await stepgate.memory()
    sockets.push(...(await openSockets(stepgate.origin, BEFORE, OPEN)))
    const after = await stepgate.memory()
    const value = (after.rss - before.rss) / OPEN / 1000
    const memory = (after.rss / 1e6).toFixed(0)
    const aims = [{ what: 'memory of each', value, unit: 'kB', most: MOST }] as const
    return [{ name: `${OPEN} WebSockets beside ${BEFORE}`, cells: { memory }, aims }]
  } finally {
    for (const socket of sockets) socket.destroy()
    await stepgate.stop()
    application.close()
  }
}

async function startApplication(): Promise<Server> {
  const server = createServer()
  server.on('upgrade', ({ headers }, socket) => {
    const accept = acceptOf(String(headers['sec-websocket-key']))
    socket.on('error', () => {}).resume()
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
  })
  server.listen(0, '127.0.0.1', 10_000)
  await once(server, 'listening')
  return server
}

/** Opens as many as there are numbers from `from` on. */
async function openSockets(origin: string, from: number, count: number): Promise<Socket[]> {
  const { host, port } = new URL(origin)
  const sockets: Socket[] = []
  let next = from
  const open = async () => {
    while (next < from + count) {
      const cookie = await sealSession(next++)
      const socket = connect(Number(port), '127.0.0.1')
      socket.write(
        `GET /socket HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${origin}\r\n` +
          'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
          `Sec-WebSocket-Key: ${KEY}\r\nCookie: ${cookie}\r\n\r\n`,
      )
      const [answer] = await once(socket, 'data')
      if (!String(answer).startsWith('HTTP/1.1 101 ')) throw new Error(String(answer))
      sockets.push(socket)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, open))
  return sockets
}
