import type { RedisAddress } from '../config/config.ts'
import { placeOf, type RedisConnection, type RedisReply } from './redis-connection.ts'
import { RedisError, readRedisError } from './redis-error.ts'
import { askFirst } from './redis-first.ts'

type Open = (node: RedisAddress) => Promise<RedisConnection>

/**
 * Asks the sentinels for the master and connects to it, as https://redis.io/docs/latest/develop/reference/sentinel-clients/
 * has it: the server itself must say, too, that it is one. `openSentinel` are the ways to sign in
 * to a sentinel, in the order in which to try them.
 */
export async function openPromoted(options: {
  readonly sentinels: readonly RedisAddress[]
  readonly masterName: string
  readonly openSentinel: readonly Open[]
  readonly open: Open
}): Promise<RedisConnection> {
  const { sentinels, masterName, openSentinel, open } = options
  const master = await askFirst(sentinels, (sentinel) =>
    askSentinel(sentinel, masterName, openSentinel),
  )
  const connection = await open(master)
  try {
    if (await isMaster(connection)) return connection
    throw new RedisError(placeOf(master), 'not_master')
  } catch (error) {
    connection.end()
    throw error
  }
}

async function askSentinel(
  sentinel: RedisAddress,
  masterName: string,
  openSentinel: readonly Open[],
): Promise<RedisAddress> {
  const connection = await openFirst(sentinel, openSentinel)
  try {
    const reply = await connection.send(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', masterName])
    const [host, port] = Array.isArray(reply) ? reply : []
    if (typeof host === 'string') return { host, port: Number(port) }
    throw new RedisError(placeOf(sentinel), 'no_master')
  } finally {
    connection.end()
  }
}

/** A sentinel that does not know the first user may know the next. */
async function openFirst(
  sentinel: RedisAddress,
  [open, ...others]: readonly Open[],
): Promise<RedisConnection> {
  if (open === undefined) throw new RedisError(placeOf(sentinel), 'WRONGPASS')
  try {
    return await open(sentinel)
  } catch (error) {
    const { code } = readRedisError(error, placeOf(sentinel))
    if (others.length === 0 || !/^(WRONGPASS|no_password)$/.test(code)) throw error
    return openFirst(sentinel, others)
  }
}

async function isMaster(connection: RedisConnection): Promise<boolean> {
  let role: RedisReply
  try {
    role = await connection.send(['ROLE'])
  } catch (error) {
    // A user without this command learns it from the first write.
    if (readRedisError(error, '').code === 'NOPERM') return true
    throw error
  }
  return Array.isArray(role) && role[0] === 'master'
}
