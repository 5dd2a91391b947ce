import type { Config, StoreSecrets } from './config.ts'
import { isRedisUrl, parseRedisUrl } from './parse-redis-url.ts'
import { ok, type Parsed, wrong } from './parsed.ts'

/** What a store's address says, its passwords apart. */
export type StoreAddress = { readonly store: Config['store']; readonly secrets: StoreSecrets }

/** `sqlite:PATH`, `memory:` or the URL of a Redis. */
export function parseStore(given: string): Parsed<StoreAddress> {
  const text = given.trim()
  if (text === 'memory:') return ok({ store: { kind: 'memory' }, secrets: {} })
  if (isRedisUrl(text)) return parseRedisUrl(text)
  const path = /^sqlite:(?!\/\/)(.+)$/.exec(text)?.[1]
  // SQLite itself takes this for a database in memory.
  if (path === ':memory:') return wrong('a store in memory is written memory:')
  if (path === undefined) {
    return wrong(
      'it must be sqlite: and a path (sqlite:./x.db, sqlite:/x.db), memory:, or a URL that begins with redis://, rediss://, redis+sentinel:// or redis+cluster://',
    )
  }
  return ok({ store: { kind: 'sqlite', path }, secrets: {} })
}
