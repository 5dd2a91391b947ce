import { setTimeout as sleep } from 'node:timers/promises'
import type { Config, StoreSecrets } from '../config/config.ts'
import { describeError, type Log } from '../log.ts'
import { isHopeless, RedisError } from './redis-error.ts'
import { type Store, StoreUnavailableError } from './store.ts'
import { createMemoryStore } from './store-memory.ts'
import { createSqliteStore } from './store-sqlite.ts'

/** For how long a start waits for a Redis that is not there yet (ms), and who hears of it. */
export type Patience = { readonly patience: number; readonly log: Log }

const RETRY = 500

/**
 * The store that the configuration names, after one write to it: a wrong path, a foreign file, a
 * wrong password throw `StoreUnavailableError` here, with a cause that says which. A Redis that
 * can't be reached is waited for, as it may be starting too.
 */
export async function openStore(
  config: Config['store'],
  secrets: StoreSecrets = {},
  waiting?: Patience,
): Promise<Store> {
  switch (config.kind) {
    case 'memory':
      return tried(createMemoryStore())
    case 'sqlite':
      return tried(createSqliteStore(config.path))
    case 'redis': {
      // Loaded when it is needed: the client takes a fifth of a second and 30 MB.
      const { createRedisStore } = await import('./store-redis.ts')
      const { adviseOnRedis } = await import('./redis-advice.ts')
      const store = await tried(createRedisStore(config, secrets), waiting)
      const advice = waiting && (await adviseOnRedis(config, secrets))
      if (advice !== undefined) waiting?.log.warn(advice)
      return store
    }
  }
}

async function tried(store: Store, { patience, log }: Partial<Patience> = {}): Promise<Store> {
  const end = performance.now() + (patience ?? 0)
  for (let tries = 0; ; tries++) {
    try {
      await store.ping()
      if (tries > 0) log?.info('The store answers')
      return store
    } catch (error) {
      if (performance.now() >= end || !mayPass(error)) {
        await store.close()
        throw error
      }
      if (tries === 0) log?.warn('The store does not answer yet: waiting', describeError(error))
      await sleep(RETRY)
    }
  }
}

function mayPass(error: unknown): boolean {
  if (!(error instanceof StoreUnavailableError)) return false
  return error.cause instanceof RedisError && !isHopeless(error.cause)
}
