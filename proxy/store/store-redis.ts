import type { RedisConfig, StoreSecrets } from '../config/config.ts'
import { readStrike, readWindow } from './counting.ts'
import { placeOf, type RedisConnection, type RedisReply } from './redis-connection.ts'
import { RedisError } from './redis-error.ts'
import { createRedisLink } from './redis-link.ts'
import { masterOf } from './redis-master.ts'
import {
  lifeOf,
  MARGIN,
  readNumber,
  readRecord,
  readStrikeRecord,
  readWindowRecord,
  writeNumber,
  writeRecord,
} from './redis-record.ts'
import {
  COUNT,
  REVOCATIONS,
  REVOKE,
  type RedisScript,
  STRIKE,
  SWAP,
  UNCOUNT,
  WAIVE,
} from './redis-scripts.ts'
import { type Revocations, type Store, StoreUnavailableError } from './store.ts'

const PAGE = 1_000

/**
 * A store in a Redis (6.2 or later) or Valkey that all machines of an installation share. It is
 * connected to by the first operation; each is one command or one script. An operation fails
 * within two seconds when the server does not answer, and at once while there is no connection.
 */
export function createRedisStore(config: RedisConfig, secrets: StoreSecrets = {}): Store {
  const link = createRedisLink(masterOf(config, secrets), config.nodes.map(placeOf).join(','))
  // The last time that an operation told, for those that tell none.
  let told = 0

  // One hash tag for all keys: a script may touch only keys of one slot of a cluster.
  const name = (kind: string, key: string) => `{${config.prefix}}:${kind}:${key}`
  const revoked = [`{${config.prefix}}:revoked`, `{${config.prefix}}:revoked-until`]

  function at(now: number): string {
    told = now
    return writeNumber(now)
  }

  async function use<T>(work: (connection: RedisConnection) => Promise<T>): Promise<T> {
    try {
      return await link.use(work)
    } catch (error) {
      throw new StoreUnavailableError(error)
    }
  }

  const send = (...command: readonly string[]) => use((connection) => connection.send(command))

  const run = (script: RedisScript, keys: readonly string[], ...args: readonly string[]) =>
    use((connection) => runScript(connection, script, keys, args))

  return {
    async get(key, now) {
      told = now
      return readRecord(await send('GET', name('value', key)), now)
    },
    async put(key, value, expiresAt) {
      const life = lifeOf(expiresAt, told)
      await send('SET', name('value', key), writeRecord(value, expiresAt), ...life)
    },
    async swap(key, expected, value, expiresAt, now) {
      const [stored, present] = await run(
        SWAP,
        [name('value', key)],
        at(now),
        ...(expected === undefined ? ['0', ''] : ['1', expected]),
        writeNumber(expiresAt),
        value,
        `${MARGIN}`,
      )
      if (stored === 1) return { kind: 'stored' }
      return { kind: 'conflict', value: typeof present === 'string' ? present : undefined }
    },
    async take(key, now) {
      told = now
      return readRecord(await send('GETDEL', name('value', key)), now)
    },
    async remove(key) {
      await send('DEL', ...['value', 'strike', 'count'].map((kind) => name(kind, key)))
    },
    async strike(key, waits, expiresAt, now) {
      const times = [at(now), writeNumber(expiresAt), `${MARGIN}`, ...waits.map(writeNumber)]
      const [counted, count, until] = await run(STRIKE, [name('strike', key)], ...times)
      const kind = counted === 1 ? 'counted' : 'waiting'
      return { kind, count: Number(count), until: readNumber(until) }
    },
    async waive(key, nth, left, now) {
      await run(WAIVE, [name('strike', key)], at(now), `${nth}`, `${left}`, `${MARGIN}`)
    },
    async strikes(key, now) {
      told = now
      return readStrike(readStrikeRecord(await send('GET', name('strike', key))), now)
    },
    async count(windows, now) {
      const keys = windows.map(({ key }) => name('count', key))
      const limits = windows.flatMap(({ limit, windowMs }) => [limit, windowMs].map(writeNumber))
      const [full, retryAt] = await run(COUNT, keys, at(now), `${MARGIN}`, ...limits)
      if (full === -1) return { kind: 'counted' }
      return { kind: 'full', full: Number(full), retryAt: readNumber(retryAt) }
    },
    async counts(keys, now) {
      told = now
      if (keys.length === 0) return []
      const command = ['MGET', ...keys.map((key) => name('count', key))]
      const records = await use(async (connection) =>
        readList(await connection.send(command), connection.place),
      )
      return records.map((record) => readWindow(readWindowRecord(record), now))
    },
    async uncount(keys, now) {
      await run(
        UNCOUNT,
        keys.map((key) => name('count', key)),
        at(now),
        `${MARGIN}`,
      )
    },
    async revoke(id, expiresAt) {
      const trimBefore = told - MARGIN
      await run(REVOKE, revoked, id, writeNumber(expiresAt), writeNumber(trimBefore))
    },
    async revocations(cursor, now) {
      told = now
      const found = await use((connection) => readRevocations(connection, revoked, cursor))
      return { ...found, ids: found.ids.filter(({ expiresAt }) => expiresAt > now) }
    },
    async ping() {
      await send('SET', `{${config.prefix}}:ping`, '', 'PX', '1000')
    },
    async close() {
      link.close()
    },
  }
}

/** By its digest; the whole text goes to a server that does not know it yet, or any more. */
async function runScript(
  connection: RedisConnection,
  { lua, sha }: RedisScript,
  keys: readonly string[],
  args: readonly string[],
): Promise<readonly RedisReply[]> {
  const rest = [`${keys.length}`, ...keys, ...args]
  try {
    return readList(await connection.send(['EVALSHA', sha, ...rest]), connection.place)
  } catch (error) {
    if (!(error instanceof RedisError) || error.code !== 'NOSCRIPT') throw error
    return readList(await connection.send(['EVAL', lua, ...rest]), connection.place)
  }
}

/** In pages, so that a great many do not hold up whoever else uses the server. */
async function readRevocations(
  connection: RedisConnection,
  keys: readonly string[],
  cursor: number,
): Promise<Revocations> {
  const ids: { id: string; expiresAt: number }[] = []
  let from = writeNumber(cursor)
  let lost = false
  for (let pairs = PAGE; pairs === PAGE; ) {
    const [next, missing, ...found] = await runScript(connection, REVOCATIONS, keys, [
      from,
      `${PAGE}`,
    ])
    from = String(next)
    lost ||= missing === 1
    pairs = found.length / 2
    for (let index = 0; index < found.length; index += 2) {
      ids.push({ id: String(found[index]), expiresAt: readNumber(found[index + 1]) })
    }
  }
  return { ids, cursor: Number(from), lost }
}

/** A script always answers with a list; whatever else comes must not be taken for one. */
function readList(reply: RedisReply, place: string): readonly RedisReply[] {
  if (Array.isArray(reply)) return reply
  throw new RedisError(place, 'odd_reply')
}
