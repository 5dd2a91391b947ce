import type { RedisAddress } from '../config/config.ts'
import { placeOf, type RedisConnection } from './redis-connection.ts'
import { RedisError, readRedisError } from './redis-error.ts'
import { askFirst } from './redis-first.ts'

type Open = (node: RedisAddress) => Promise<RedisConnection>

const MAX_MOVES = 5

/**
 * Connects to the node of a cluster that owns the slot of `key`, which any of `nodes` can name. All
 * our keys are in one slot, so it is the only node that is needed, until it says `MOVED`.
 */
export async function openOwner(
  nodes: readonly RedisAddress[],
  key: string,
  open: Open,
): Promise<RedisConnection> {
  let owner = await askFirst(nodes, async (node) => {
    const connection = await open(node)
    try {
      return (await movedTo(connection, node, key)) ?? node
    } finally {
      connection.end()
    }
  })
  for (let moves = 0; moves < MAX_MOVES; moves++) {
    const connection = await open(owner)
    const moved = await movedTo(connection, owner, key).catch((error: unknown) => {
      connection.end()
      throw error
    })
    if (moved === undefined) return connection
    connection.end()
    owner = moved
  }
  throw new RedisError(placeOf(owner), 'CLUSTERDOWN')
}

/** The node that `asked` names as the owner of the key; undefined when it is the owner itself. */
async function movedTo(
  connection: RedisConnection,
  asked: RedisAddress,
  key: string,
): Promise<RedisAddress | undefined> {
  try {
    await connection.send(['EXISTS', key])
    return undefined
  } catch (error) {
    const { code, target } = readRedisError(error, placeOf(asked))
    // While the slot is on its way to another node, the old one still owns it.
    if (code === 'ASK') return undefined
    if (code === 'MOVED' && target !== undefined) return readTarget(target, asked)
    throw error
  }
}

/** `host:port` of a redirection; without a host, or with `?`, it is the one that was asked. */
function readTarget(target: string, asked: RedisAddress): RedisAddress {
  const colon = target.lastIndexOf(':')
  const host = target.slice(0, colon)
  return {
    host: host === '' || host === '?' ? asked.host : host,
    port: Number(target.slice(colon + 1)),
  }
}
