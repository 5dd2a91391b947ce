import type { RedisConfig } from '../../proxy/config/config.ts'
import { parseStore } from '../../proxy/config/parse-store.ts'
import { type Store, StoreUnavailableError } from '../../proxy/store/store.ts'
import { createRedisStore } from '../../proxy/store/store-redis.ts'

/** The store that `STEPGATE_STORE={url}` names, with certificates besides. */
export function redisStore(url: string, files: NonNullable<RedisConfig['tls']> = {}): Store {
  const parsed = parseStore(url)
  if (parsed.kind === 'wrong') throw new Error(parsed.problems.join())
  const { store, secrets } = parsed.value
  if (store.kind !== 'redis') throw new Error(`${url} is no Redis`)
  return createRedisStore({ ...store, ...(store.tls && { tls: files }) }, secrets)
}

/** Whether an error says that the store is unavailable, for `assert.rejects`; and why. */
export function unavailable(why: RegExp = /Redis at /): (error: unknown) => boolean {
  return (error) =>
    error instanceof StoreUnavailableError &&
    error.cause instanceof Error &&
    why.test(error.cause.message)
}
