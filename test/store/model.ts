import fc from 'fast-check'
import type { Store } from '../../proxy/store/store.ts'

/** The operations that the model knows: all but those about the store itself. */
export type Model = Omit<Store, 'ping' | 'close'>

/** One operation, `later` ms after the one before it; its result in comparable form. */
type Step = { later: number; run: (store: Model, now: number) => Promise<unknown> }

type Row = { table: string; key: string; data: Record<string, unknown>; expiresAt: number }

/** A store as one list of rows, written for plainness and not after any adapter. */
export function createModel(): Model {
  let rows: Row[] = []
  const find = (table: string, key: string, now: number) =>
    rows.find((row) => row.table === table && row.key === key && row.expiresAt > now)
  const drop = (table: string, key: string) => {
    rows = rows.filter((row) => row.table !== table || row.key !== key)
  }
  const set = (table: string, key: string, data: Record<string, unknown>, expiresAt: number) => {
    drop(table, key)
    rows.push({ table, key, data, expiresAt })
  }
  const model: Model = {
    get: async (key, now) => find('value', key, now)?.data.value as string | undefined,
    put: async (key, value, expiresAt) => set('value', key, { value }, expiresAt),
    async swap(key, expected, value, expiresAt, now) {
      const present = await model.get(key, now)
      if (present !== expected) return { kind: 'conflict', value: present }
      set('value', key, { value }, expiresAt)
      return { kind: 'stored' }
    },
    async take(key, now) {
      const value = await model.get(key, now)
      drop('value', key)
      return value
    },
    async remove(key) {
      for (const table of ['value', 'strike', 'window']) drop(table, key)
    },
    async strike(key, waits, expiresAt, now) {
      const before = await model.strikes(key, now)
      if (before.kind === 'waiting') return before
      const count = before.count + 1
      const wait = (waits[count - 1] ?? waits.at(-1)) || 0
      const end = Math.max(find('strike', key, now)?.expiresAt ?? 0, expiresAt)
      let until = 0
      if (wait > 0) until = wait === Infinity ? Infinity : Math.min(now + wait, end)
      set('strike', key, { count, until }, end)
      return { kind: 'counted', count, until }
    },
    async waive(key, nth, left, now) {
      const row = find('strike', key, now)
      if (row?.data.count === nth) set('strike', key, { count: left, until: 0 }, row.expiresAt)
    },
    async strikes(key, now) {
      const row = find('strike', key, now)
      if (!row) return { kind: 'counted', count: 0, until: 0 }
      const { count, until } = row.data as { count: number; until: number }
      return until > now ? { kind: 'waiting', count, until } : { kind: 'counted', count, until: 0 }
    },
    async count(windows, now) {
      const present = windows.map(({ key }) => find('window', key, now))
      const full = windows.findIndex(
        ({ limit }, index) => ((present[index]?.data.count as number) ?? 0) >= limit,
      )
      if (full !== -1) {
        const retryAt = present[full]?.expiresAt ?? now + (windows[full]?.windowMs ?? 0)
        return { kind: 'full', full, retryAt }
      }
      windows.forEach(({ key, windowMs }, index) => {
        const row = present[index]
        const count = ((row?.data.count as number) ?? 0) + 1
        set('window', key, { count }, row?.expiresAt ?? now + windowMs)
      })
      return { kind: 'counted' }
    },
    async counts(keys, now) {
      return keys.map((key) => (find('window', key, now)?.data.count as number) ?? 0)
    },
    async uncount(keys, now) {
      for (const key of keys) {
        const row = find('window', key, now)
        const count = (row?.data.count as number) ?? 0
        if (row && count > 0) set('window', key, { count: count - 1 }, row.expiresAt)
      }
    },
    async revoke(id, expiresAt) {
      const known = rows.find((row) => row.table === 'revoked' && row.key === id)
      if (known === undefined || known.expiresAt < expiresAt) set('revoked', id, {}, expiresAt)
    },
    async revocations(_cursor, now) {
      const alive = rows.filter((row) => row.table === 'revoked' && row.expiresAt > now)
      return {
        ids: alive.map(({ key: id, expiresAt }) => ({ id, expiresAt })),
        cursor: 0,
        lost: false,
      }
    },
  }
  return model
}

const key = fc.constantFrom('a', 'b', 'c')
const keys = fc.array(key, { maxLength: 4 })
const value = fc.constantFrom('', 'x', 'y')
const life = fc.oneof(fc.integer({ min: -2, max: 8 }), fc.constant(Infinity))
const wait = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 6 }), fc.constant(Infinity))
const windows = fc.uniqueArray(
  fc.record({ key, limit: fc.nat(3), windowMs: fc.integer({ min: 1, max: 8 }) }),
  { selector: (window) => window.key },
)

/** Steps on three keys in a few milliseconds, so that they meet each other and their expiry. */
export const operations: fc.Arbitrary<Step[]> = fc.array(
  fc
    .tuple(fc.constantFrom(0, 0, 0, 1, 2, 5), operation())
    .map(([later, run]) => ({ later, run, [fc.toStringMethod]: () => `+${later} ${String(run)}` })),
  { minLength: 1, maxLength: 40 },
)

function operation(): fc.Arbitrary<Step['run']> {
  const named = (text: string, run: Step['run']) => Object.assign(run, { toString: () => text })
  return fc.oneof(
    key.map((k) => named(`get ${k}`, (store, now) => store.get(k, now))),
    fc
      .tuple(key, value, life)
      .map(([k, v, l]) => named(`put ${k} ${v} ${l}`, (store, now) => store.put(k, v, now + l))),
    fc
      .tuple(key, fc.option(value, { nil: undefined }), value, life)
      .map(([k, e, v, l]) =>
        named(`swap ${k} ${e} ${v} ${l}`, (store, now) => store.swap(k, e, v, now + l, now)),
      ),
    key.map((k) => named(`take ${k}`, (store, now) => store.take(k, now))),
    key.map((k) => named(`remove ${k}`, (store) => store.remove(k))),
    fc
      .tuple(key, fc.array(wait, { maxLength: 4 }), life)
      .map(([k, w, l]) =>
        named(`strike ${k} ${w} ${l}`, (store, now) => store.strike(k, w, now + l, now)),
      ),
    fc
      .tuple(key, fc.integer({ min: 1, max: 4 }), fc.nat(1))
      .map(([k, n, less]) =>
        named(`waive ${k} ${n} ${n - less}`, (store, now) => store.waive(k, n, n - less, now)),
      ),
    key.map((k) => named(`strikes ${k}`, (store, now) => store.strikes(k, now))),
    windows.map((w) => named(`count ${JSON.stringify(w)}`, (store, now) => store.count(w, now))),
    keys.map((k) => named(`counts ${k}`, async (store, now) => [...(await store.counts(k, now))])),
    keys.map((k) => named(`uncount ${k}`, (store, now) => store.uncount(k, now))),
    fc
      .tuple(key, life)
      .map(([k, l]) => named(`revoke ${k} ${l}`, (store, now) => store.revoke(k, now + l))),
    fc.constant(named('revocations', async (store, now) => (await store.revocations(0, now)).ids)),
  )
}
