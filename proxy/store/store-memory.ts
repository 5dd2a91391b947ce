import {
  addStrike,
  addToWindows,
  readStrike,
  readWindow,
  type StrikeRecord,
  type WindowRecord,
  waiveStrike,
} from './counting.ts'
import { type Store, StoreUnavailableError } from './store.ts'

type Entry = { readonly expiresAt: number }
type ValueEntry = Entry & { readonly value: string }
type WindowEntry = Entry & WindowRecord
type RevocationEntry = Entry & { readonly seq: number }

const SWEEP_ON_WRITE = 8
const SWEEP_WHEN_FULL = 10_000

/**
 * A store in this process alone, gone when it ends. Holds at most `capacity` entries: what has
 * expired makes room, what is alive never does, and a full store throws `StoreUnavailableError`
 * for new keys.
 */
export function createMemoryStore(capacity = 1_000_000): Store {
  const values = new Map<string, ValueEntry>()
  const strikes = new Map<string, StrikeRecord>()
  const windows = new Map<string, WindowEntry>()
  const revoked = new Map<string, RevocationEntry>()
  const maps: readonly Map<string, Entry>[] = [values, strikes, windows, revoked]
  const sweepers = maps.map(createSweeper)
  let clock = 0
  let lastSeq = 0
  let closed = false

  function enter(now = clock): void {
    if (closed) throw new StoreUnavailableError(new Error('The store is closed'))
    clock = now
  }

  /** Throws when `added` more entries do not fit. */
  function makeRoom(added: number): void {
    sweep(SWEEP_ON_WRITE)
    if (size() + added > capacity) sweep(SWEEP_WHEN_FULL)
    if (size() + added > capacity) {
      throw new StoreUnavailableError(new Error(`The store is full: ${capacity} entries`))
    }
  }

  function sweep(steps: number): void {
    for (const sweeper of sweepers) sweeper(steps, clock)
  }

  function size(): number {
    return maps.reduce((sum, map) => sum + map.size, 0)
  }

  function write<T>(map: Map<string, T>, key: string, entry: T): void {
    makeRoom(map.has(key) ? 0 : 1)
    map.set(key, entry)
  }

  function read(key: string, now: number): string | undefined {
    const entry = values.get(key)
    return entry !== undefined && entry.expiresAt > now ? entry.value : undefined
  }

  return {
    async get(key, now) {
      enter(now)
      return read(key, now)
    },
    async put(key, value, expiresAt) {
      enter()
      write(values, key, { value, expiresAt })
    },
    async swap(key, expected, value, expiresAt, now) {
      enter(now)
      const present = read(key, now)
      if (present !== expected) return { kind: 'conflict', value: present }
      write(values, key, { value, expiresAt })
      return { kind: 'stored' }
    },
    async take(key, now) {
      enter(now)
      const value = read(key, now)
      values.delete(key)
      return value
    },
    async remove(key) {
      enter()
      for (const map of [values, strikes, windows]) map.delete(key)
    },
    async strike(key, waits, expiresAt, now) {
      enter(now)
      const next = addStrike(strikes.get(key), waits, expiresAt, now)
      if (next === undefined) return readStrike(strikes.get(key), now)
      write(strikes, key, next)
      return { kind: 'counted', count: next.count, until: next.until }
    },
    async waive(key, nth, left, now) {
      enter(now)
      const waived = waiveStrike(strikes.get(key), nth, left, now)
      if (waived !== undefined) strikes.set(key, waived)
    },
    async strikes(key, now) {
      enter(now)
      return readStrike(strikes.get(key), now)
    },
    async count(asked, now) {
      enter(now)
      const keys = asked.map(({ key }) => key)
      const result = addToWindows(
        asked,
        keys.map((key) => windows.get(key)),
        now,
      )
      if (result.kind === 'full') return result
      makeRoom(keys.filter((key) => !windows.has(key)).length)
      for (const [index, record] of result.records.entries()) {
        windows.set(keys[index] ?? '', { ...record, expiresAt: record.endsAt })
      }
      return { kind: 'counted' }
    },
    async counts(keys, now) {
      enter(now)
      return keys.map((key) => readWindow(windows.get(key), now))
    },
    async uncount(keys, now) {
      enter(now)
      for (const key of keys) {
        const entry = windows.get(key)
        if (entry === undefined || readWindow(entry, now) === 0) continue
        windows.set(key, { ...entry, count: entry.count - 1 })
      }
    },
    async revoke(id, expiresAt) {
      enter()
      const known = revoked.get(id)
      if (known !== undefined && known.expiresAt >= expiresAt) return
      makeRoom(known === undefined ? 1 : 0)
      // Deleted first, so that the map stays in the order of `seq`.
      revoked.delete(id)
      lastSeq += 1
      revoked.set(id, { seq: lastSeq, expiresAt })
    },
    async revocations(cursor, now) {
      enter(now)
      const lost = cursor > lastSeq
      const from = lost ? 0 : cursor
      const ids = [...revoked]
        .filter(([, entry]) => entry.seq > from && entry.expiresAt > now)
        .map(([id, { expiresAt }]) => ({ id, expiresAt }))
      return { ids, cursor: lastSeq, lost }
    },
    async ping() {
      enter()
      makeRoom(1)
    },
    async close() {
      closed = true
      for (const map of maps) map.clear()
    },
  }
}

/** Walks round the map, a few steps a call, and removes what has expired by `now`. */
function createSweeper(map: Map<string, Entry>): (steps: number, now: number) => void {
  let walk = map.entries()
  return (steps, now) => {
    for (let step = Math.min(steps, map.size + 1); step > 0; step--) {
      const next = walk.next()
      if (next.done) {
        walk = map.entries()
        continue
      }
      const [key, { expiresAt }] = next.value
      if (expiresAt <= now) map.delete(key)
    }
  }
}
