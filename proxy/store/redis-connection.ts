import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { createClient } from 'redis'
import type { RedisAddress, RedisConfig } from '../config/config.ts'
import { RedisError, readRedisError } from './redis-error.ts'

/** What a server answers to a command, in RESP 2. */
export type RedisReply = string | number | null | readonly RedisReply[]

/** One connection, which is never opened again. */
export type RedisConnection = {
  /** `host:port` */
  readonly place: string
  /** Rejects with `RedisError`; without an answer it stays pending until the connection ends. */
  send(command: readonly string[]): Promise<RedisReply>
  /** Resolves with the reason when the connection has ended by itself or by `end`. */
  readonly ended: Promise<RedisError>
  /** Takes it over: one that nobody keeps ends by itself two seconds after it was begun. */
  keep(): void
  /** Ends it at once; whatever is pending rejects with the reason. */
  end(reason?: RedisError): void
}

/** Who connects; without a password as Redis's default user. */
export type RedisLogin = {
  readonly username?: string
  readonly password?: string
  readonly database?: number
}

// In ms. A server that is gone or frozen must not hold up the search for the one that took over,
// whichever answer on the way to it is the one that does not come.
const CONNECT_TIMEOUT = 1_500
const UNKEPT_TIMEOUT = 2_000

/** Opens a connection and signs in, in at most two seconds. Rejects with `RedisError`. */
export async function openRedisConnection(
  address: RedisAddress,
  login: RedisLogin,
  tls: RedisConfig['tls'],
): Promise<RedisConnection> {
  const place = placeOf(address)
  const ended = Promise.withResolvers<RedisError>()
  const client = createClient({
    RESP: 2,
    ...login,
    clientInfoTag: 'stepgate',
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
    // The client's own limit ends with the writing of a command, so it helps nobody who waits.
    commandOptions: { timeout: 0 },
    socket: { ...socketOf(address, tls, place), connectTimeout: CONNECT_TIMEOUT },
  })
  const timer = setTimeout(() => end(new RedisError(place, 'timeout')), UNKEPT_TIMEOUT)
  client.on('error', (error) => end(readRedisError(error, place)))

  function end(reason = new RedisError(place, 'closed')): void {
    clearTimeout(timer)
    ended.resolve(reason)
    if (client.isOpen) client.destroy()
  }

  const failed = await Promise.race([
    client.connect().then(
      () => undefined,
      (error: unknown) => readRedisError(error, place),
    ),
    ended.promise,
  ])
  if (failed !== undefined) {
    end(failed)
    throw failed
  }

  return {
    place,
    ended: ended.promise,
    keep: () => clearTimeout(timer),
    end,
    async send(command) {
      try {
        return (await client.sendCommand([...command])) as RedisReply
      } catch (error) {
        const known = readRedisError(error, place)
        // What the client says of an end is less than the reason that it had.
        throw known.code === 'closed' ? await Promise.race([ended.promise, known]) : known
      }
    },
  }
}

/** `host:port`, as operators write it. */
export function placeOf({ host, port }: RedisAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function socketOf({ host, port }: RedisAddress, tls: RedisConfig['tls'], place: string) {
  const common = { host, port, reconnectStrategy: false } as const
  if (tls === undefined) return common
  return {
    ...common,
    tls: true,
    ...(isIP(host) === 0 && { servername: host }),
    ...(tls.caFile !== undefined && { ca: read(tls.caFile, place) }),
    ...(tls.client !== undefined && {
      cert: read(tls.client.certFile, place),
      key: read(tls.client.keyFile, place),
    }),
  } as const
}

// Read for each connection: certificates are renewed while the program runs.
function read(path: string, place: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw readRedisError(error, place)
  }
}
