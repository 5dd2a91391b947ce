import { parseStore } from '../../proxy/config/parse-store.ts'
import type { Store } from '../../proxy/store/store.ts'
import { createRedisStore } from '../../proxy/store/store-redis.ts'

/** The store that `STEPGATE_STORE={url}` names, with certificates besides. */
export function redisStore(url: string, files: { readonly caFile?: string } = {}): Store {
  const parsed = parseStore(url)
  if (parsed.kind === 'wrong') throw new Error(parsed.problems.join())
  const { store, secrets } = parsed.value
  if (store.kind !== 'redis') throw new Error(`${url} is no Redis`)
  return createRedisStore({ ...store, ...(store.tls && { tls: files }) }, secrets)
}
