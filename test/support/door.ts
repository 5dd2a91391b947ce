import type { Config } from '../../proxy/config/config.ts'
import { type Context, createContext, type Overrides } from '../../proxy/context.ts'
import { createLog } from '../../proxy/log.ts'
import { openFrontDoor } from '../../proxy/server.ts'
import type { Session } from '../../proxy/session/session.ts'
import { writeSessionCookie } from '../../proxy/session/session-cookie.ts'
import { createSessionReader } from '../../proxy/session/session-reader.ts'
import type { Provider } from '../../proxy/sign-in/provider.ts'
import { CANARIES, loadWith, sentences } from '../config/valid-env.ts'
import { declareSecret, keepLog } from './canaries.ts'
import type { LogLine } from './world.ts'

/** The whole front door with real parts, but sessions are made here and nobody signs in. */
export type Door = {
  readonly port: number
  readonly context: Context
  /** All log lines so far, or those of one event. */
  logs(event?: string): readonly LogLine[]
  /** The lines as they were written. */
  lines(): readonly string[]
  /** Moves the clock forward, in ms. */
  turnClock(ms: number): void
  now(): number
  /** A Cookie header with a session that another process has sealed just now, changed as asked. */
  cookieOf(changes?: Partial<Session>): Promise<string>
  close(): Promise<void>
}

export type DoorOptions = {
  readonly env?: Readonly<Record<string, string>>
  readonly listen?: Config['listen']
  /** Files of a certificate and its key; the configuration is read without files. */
  readonly tls?: Config['tls']
  /** Files too. */
  readonly upstreamTls?: NonNullable<Config['upstreamTls']>
  readonly overrides?: Overrides
  /** Changes parts after they were made. */
  readonly change?: (context: Context) => Context
}

/** Opens it on a free loopback port, or where `listen` says. */
export async function openDoor(options: DoorOptions = {}): Promise<Door> {
  const { env = {}, listen = { kind: 'tcp', host: '127.0.0.1', port: 0 } } = options
  for (const [kind, value] of Object.entries(CANARIES)) declareSecret(kind, value)
  const loaded = loadWith({ STEPGATE_STORE: 'memory:', STEPGATE_LOG_LEVEL: 'debug', ...env })
  if (loaded.kind === 'invalid') throw new Error(sentences(loaded).join('\n'))
  const { tls, upstreamTls } = options
  const config = {
    ...loaded.config,
    listen,
    ...(tls && { tls }),
    ...(upstreamTls && { upstreamTls }),
  }

  let offset = 0
  const clock = () => Date.now() + offset
  const lines: string[] = []
  const log = createLog(config.log, {
    write(line) {
      keepLog(line)
      lines.push(line)
    },
  })
  const overrides = { clock, log, provider: quietProvider, ...options.overrides }
  const built = await createContext(config, loaded.secrets, overrides)
  const context = options.change?.(built) ?? built
  const door = await openFrontDoor(context)
  const { sealer, keptGroups } = built
  const limits = config.session
  const elsewhere = createSessionReader({ sealer, keptGroups, limits, isRevoked: () => false })
  return {
    port: Number(/:(\d+)$/.exec(door.address)?.[1] ?? 0),
    context,
    logs: (event) =>
      lines
        .map((line) => JSON.parse(line) as LogLine)
        .filter((line) => event === undefined || line.event === event),
    lines: () => lines,
    turnClock(ms) {
      offset += ms
    },
    now: clock,
    async cookieOf(changes = {}) {
      const now = clock()
      const session = { ...freshSession(now), ...changes }
      const sealed = await elsewhere.seal(session, now)
      const cookies = writeSessionCookie(built.cookies.session, sealed, undefined, config)
      return `Cookie: ${cookies.map((cookie) => cookie.split(';', 1)[0]).join('; ')}`
    },
    async close() {
      await door.close()
      await context.close()
    },
  }
}

/** A session of alice with only the first factor, as it is right after signing in. */
export function freshSession(now: number): Session {
  return {
    id: 'session-of-alice',
    family: 'family-of-alice',
    subject: 'subject-of-alice',
    username: 'alice',
    groups: [],
    acr: 'basic',
    amr: ['pwd'],
    authTime: now,
    createdAt: now,
    seenAt: now,
  }
}

/** A provider that is known and that nobody comes back from. */
export const quietProvider: Provider = {
  isKnown: () => true,
  start: () => {},
  check: async () => ({ kind: 'ok', detail: '' }),
  authorizationUrl: async ({ state }) => {
    const url = new URL('https://login.example.com/authorize')
    url.searchParams.set('state', state)
    return url
  },
  pushes: () => false,
  redeem: async () => ({ kind: 'unavailable', code: 'quiet' }),
  refresh: async () => ({ kind: 'unknown', code: 'quiet', unsure: false }),
  endSessionUrl: () => undefined,
  tokenKeys: () => undefined,
  introspect: async () => ({ kind: 'unavailable', code: 'quiet' }),
  canSignOut: () => false,
  readLogoutToken: async () => ({ kind: 'unavailable', code: 'quiet' }),
  close: () => {},
}
