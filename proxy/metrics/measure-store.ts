import type { Config } from '../config/config.ts'
import type { Store } from '../store/store.ts'
import type { LabelsOf } from './definitions.ts'
import type { Meter } from './meter.ts'

type Operation = LabelsOf<'stepgate_store_seconds'>['operation']

/** A store that says how long it took and how often it could not answer. */
export function measureStore(
  store: Store,
  kind: Config['store']['kind'],
  meter: Meter | undefined,
): Store {
  if (meter === undefined) return store

  const timed = async <T>(operation: Operation, run: () => Promise<T>): Promise<T> => {
    const stop = meter.start('stepgate_store_seconds')
    try {
      return await run()
    } catch (error) {
      meter.count('stepgate_store_failures_total', { store: kind })
      throw error
    } finally {
      stop({ operation, store: kind })
    }
  }

  return {
    get: (...args) => timed('get', () => store.get(...args)),
    put: (...args) => timed('put', () => store.put(...args)),
    swap: (...args) => timed('swap', () => store.swap(...args)),
    take: (...args) => timed('take', () => store.take(...args)),
    remove: (...args) => timed('remove', () => store.remove(...args)),
    strike: (...args) => timed('strike', () => store.strike(...args)),
    waive: (...args) => timed('waive', () => store.waive(...args)),
    strikes: (...args) => timed('strikes', () => store.strikes(...args)),
    count: (...args) => timed('count', () => store.count(...args)),
    counts: (...args) => timed('counts', () => store.counts(...args)),
    uncount: (...args) => timed('uncount', () => store.uncount(...args)),
    revoke: (...args) => timed('revoke', () => store.revoke(...args)),
    revocations: (...args) => timed('revocations', () => store.revocations(...args)),
    ping: () => timed('ping', () => store.ping()),
    close: () => store.close(),
  }
}
