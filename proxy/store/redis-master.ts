import type { RedisAddress, RedisConfig, StoreSecrets } from '../config/config.ts'
import { openOwner } from './redis-cluster.ts'
import { openRedisConnection, type RedisConnection, type RedisLogin } from './redis-connection.ts'
import { openPromoted } from './redis-sentinel.ts'

/**
 * Finds the server that takes the writes and connects to it: each call anew, for after a failover
 * it is another one. Rejects with `RedisError`: each server on the way has two seconds. The caller
 * has to keep the connection, or it ends soon.
 */
export function masterOf(
  { topology, nodes, username, database, prefix, tls }: RedisConfig,
  { password, sentinelPassword }: StoreSecrets,
): () => Promise<RedisConnection> {
  const login = loginOf(username, password)
  const open = (node: RedisAddress) => openRedisConnection(node, { ...login, database }, tls)
  switch (topology.kind) {
    case 'single':
      return () => open(nodes[0])
    case 'cluster':
      return () => openOwner(nodes, `{${prefix}}:place`, open)
    case 'sentinel': {
      const own = loginOf(topology.username, sentinelPassword)
      // Sentinels often have the password of their servers, and as often none.
      const logins =
        sentinelPassword !== undefined ? [own] : password !== undefined ? [login, {}] : [{}]
      const openSentinel = logins.map(
        (as) => (node: RedisAddress) => openRedisConnection(node, as, tls),
      )
      return () =>
        openPromoted({ sentinels: nodes, masterName: topology.masterName, openSentinel, open })
    }
  }
}

function loginOf(username: string | undefined, password: string | undefined): RedisLogin {
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  }
}
