import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createKeptGroups } from '../proxy/session/kept-groups.ts'
import { createSealer } from '../proxy/session/sealed.ts'
import { createSessionReader } from '../proxy/session/session-reader.ts'
import { createMemoryStore } from '../proxy/store/store-memory.ts'
import { acceptOf } from '../proxy/upstream/web-socket-accept.ts'

/*
 * What an open WebSocket costs a stepgate of its own process: its resident memory after a garbage
 * collection, before and after so many are opened, each of a session of its own. Some are open
 * before, since what a process grows to when it is first busy is not what a WebSocket costs. The
 * application and the clients are in this process.
 */

const BEFORE = 2000
const OPEN = Number(process.argv[2] ?? 5000)
const SECRET = 'a-secret-of-the-benchmark-and-nothing-else'
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const LIMITS = { idle: 3_600_000, lifetime: 43_200_000 }

const REPORT = `process.on('SIGUSR2', () => {
  gc(); gc()
  const { rss, heapUsed, external } = process.memoryUsage()
  process.stdout.write(JSON.stringify({ rss, heapUsed, external }) + '\\n')
})`

type Memory = { rss: number; heapUsed: number; external: number }

async function startApplication(): Promise<number> {
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
  return (server.address() as AddressInfo).port
}

/** A stepgate; its provider is never asked, for sessions are made here. */
async function startStepgate(application: number) {
  const hook = `data:text/javascript,${encodeURIComponent(REPORT)}`
  const main = join(import.meta.dirname, '../proxy/main.ts')
  const child = spawn(process.execPath, ['--expose-gc', '--import', hook, main, 'start'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      STEPGATE_PUBLIC_URL: 'http://127.0.0.1:1',
      STEPGATE_LISTEN: '127.0.0.1:0',
      STEPGATE_UPSTREAM: `http://127.0.0.1:${application}`,
      STEPGATE_SESSION_SECRET: SECRET,
      STEPGATE_OIDC_ISSUER: 'http://127.0.0.1:1',
      STEPGATE_OIDC_CLIENT_ID: 'bench',
      STEPGATE_OIDC_CLIENT_SECRET: 'bench-secret',
      STEPGATE_TWILIO_SID: `AC${'0a'.repeat(16)}`,
      STEPGATE_TWILIO_TOKEN: 'bench-token',
      STEPGATE_TWILIO_FROM_NUMBER: '+12025550123',
      STEPGATE_DEFAULT_ACR: 'basic',
      STEPGATE_STORE: 'memory:',
      STEPGATE_ACCESS_LOG: 'off',
    },
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
    child.emit('said')
  })
  async function said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(text)
      if (found !== null) return found
      await once(child, 'said')
    }
  }
  const [, port] = await said(/"address":"127\.0\.0\.1:(\d+)"/)
  return {
    port: Number(port),
    async memory(): Promise<Memory> {
      text = ''
      child.kill('SIGUSR2')
      const [line] = await said(/^\{"rss".*\}$/m)
      return JSON.parse(line)
    },
    stop: () => child.kill('SIGKILL'),
  }
}

const sealer = createSealer([SECRET])
const reader = createSessionReader({
  sealer,
  keptGroups: createKeptGroups({ store: createMemoryStore(), sealer, ...LIMITS }),
  limits: LIMITS,
  isRevoked: () => false,
})

async function cookieOf(index: number): Promise<string> {
  const now = Date.now()
  const session = {
    id: `session-${index}`,
    family: `family-${index}`,
    subject: `subject-${index}`,
    username: `user${index}`,
    groups: [],
    acr: 'basic',
    amr: ['pwd'],
    authTime: now,
    createdAt: now,
    seenAt: now,
  } as const
  return reader.seal(session, now)
}

/** Opens as many as there are numbers from `from` on, fifty at a time. */
async function openSockets(port: number, from: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  let next = from
  const open = async () => {
    while (next < from + count) {
      const cookie = await cookieOf(next++)
      const socket = connect(port, '127.0.0.1')
      socket.write(
        'GET /socket HTTP/1.1\r\nHost: 127.0.0.1:1\r\nOrigin: http://127.0.0.1:1\r\n' +
          'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
          `Sec-WebSocket-Key: ${KEY}\r\nCookie: stepgate=${cookie}\r\n\r\n`,
      )
      const [answer] = await once(socket, 'data')
      if (!String(answer).startsWith('HTTP/1.1 101 ')) throw new Error(String(answer))
      sockets.push(socket)
    }
  }
  await Promise.all(Array.from({ length: 50 }, open))
  return sockets
}

const stepgate = await startStepgate(await startApplication())
try {
  const atStart = await stepgate.memory()
  await openSockets(stepgate.port, 0, BEFORE)
  const before = await stepgate.memory()
  const began = performance.now()
  await openSockets(stepgate.port, BEFORE, OPEN)
  const seconds = (performance.now() - began) / 1000
  const after = await stepgate.memory()
  const each = (name: keyof Memory) =>
    `${((after[name] - before[name]) / OPEN / 1000).toFixed(1)} kB`
  const whole = ({ rss }: Memory) => `${(rss / 1e6).toFixed(0)} MB`
  process.stdout.write(
    `${OPEN} more WebSockets beside ${BEFORE}, opened in ${seconds.toFixed(1)} s\n` +
      `resident memory  ${each('rss')} each; of it JavaScript ${each('heapUsed')}\n` +
      `of the process   ${whole(atStart)} at its start, ${whole(before)} with ${BEFORE}, ` +
      `${whole(after)} with ${BEFORE + OPEN}\n`,
  )
} finally {
  stepgate.stop()
}
process.exit()
