import type { Config } from './config.ts'
import { ok, type Parsed, wrong } from './parsed.ts'

/** `sqlite:PATH` or `memory:`. */
export function parseStore(text: string): Parsed<Config['store']> {
  if (text === 'memory:') return ok({ kind: 'memory' })
  if (/^rediss?:/.test(text)) {
    return wrong('this version has no Redis store yet; use sqlite:PATH on one machine')
  }
  const path = /^sqlite:(?!\/\/)(.+)$/.exec(text)?.[1]
  // SQLite itself takes this for a database in memory.
  if (path === ':memory:') return wrong('a store in memory is written memory:')
  if (path === undefined) {
    return wrong('it must be sqlite: and a path (sqlite:./x.db, sqlite:/x.db), or memory:')
  }
  return ok({ kind: 'sqlite', path })
}
