import type { Config } from '../config/config.ts'
import type { Store } from './store.ts'
import { createMemoryStore } from './store-memory.ts'
import { createSqliteStore } from './store-sqlite.ts'

/**
 * The store that the configuration names, after one write to it: a wrong path, a foreign file or
 * a damaged one throws `StoreUnavailableError` here, with a cause that says which.
 */
export async function openStore(config: Config['store']): Promise<Store> {
  const store = config.kind === 'memory' ? createMemoryStore() : createSqliteStore(config.path)
  await store.ping()
  return store
}
