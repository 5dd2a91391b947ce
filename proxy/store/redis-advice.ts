import type { RedisConfig, StoreSecrets } from '../config/config.ts'
import { masterOf } from './redis-master.ts'

/**
 * What an operator should know of a Redis that works, as a sentence; undefined when there is
 * nothing to say, or its user may not ask.
 */
export async function adviseOnRedis(
  config: RedisConfig,
  secrets: StoreSecrets,
): Promise<string | undefined> {
  const connection = await masterOf(config, secrets)().catch(() => undefined)
  const info = await connection?.send(['INFO', 'memory']).catch(() => undefined)
  connection?.end()
  if (typeof info !== 'string' || /^maxmemory:0\s/m.test(info)) return undefined
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1]
  if (policy === undefined || policy === 'noeviction') return undefined
  return `Redis forgets counters and locks when its memory is full (maxmemory-policy ${policy}); noeviction would refuse new ones instead`
}
