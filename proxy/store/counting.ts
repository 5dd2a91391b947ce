import type { Counted, CountWindow, Strike } from './store.ts'

/** Strikes of one key as an adapter keeps them. Times in epoch ms; `until` 0: no wait. */
export type StrikeRecord = {
  readonly count: number
  readonly until: number
  readonly expiresAt: number
}

/** A window of one key as an adapter keeps it. `endsAt` in epoch ms. */
export type WindowRecord = { readonly count: number; readonly endsAt: number }

/** The record as it stands; a wait that is over is no wait. */
export function readStrike(record: StrikeRecord | undefined, now: number): Strike {
  if (record === undefined || record.expiresAt <= now)
    return { kind: 'counted', count: 0, until: 0 }
  const { count, until } = record
  return until > now ? { kind: 'waiting', count, until } : { kind: 'counted', count, until: 0 }
}

/** One more strike, as `Store.strike` describes it; undefined while a wait is running. */
export function addStrike(
  record: StrikeRecord | undefined,
  waits: readonly number[],
  expiresAt: number,
  now: number,
): StrikeRecord | undefined {
  const before = readStrike(record, now)
  if (before.kind === 'waiting') return undefined
  const count = before.count + 1
  const wait = waits[Math.min(count, waits.length) - 1] ?? 0
  const end = Math.max(
    expiresAt,
    record !== undefined && record.expiresAt > now ? record.expiresAt : 0,
  )
  // A wait can't outlive its record; Infinity stays what it is: with the record.
  const until = wait === Number.POSITIVE_INFINITY ? wait : wait > 0 ? Math.min(now + wait, end) : 0
  return { count, until, expiresAt: end }
}

/** The record without the wait of its `nth` strike, as `Store.waive` describes it; undefined: as it is. */
export function waiveStrike(
  record: StrikeRecord | undefined,
  nth: number,
  left: number,
  now: number,
): StrikeRecord | undefined {
  if (record === undefined || readStrike(record, now).count !== nth) return undefined
  return { ...record, count: left, until: 0 }
}

/** The count of a window as it stands; one that has ended counts nothing. */
export function readWindow(record: WindowRecord | undefined, now: number): number {
  return record !== undefined && record.endsAt > now ? record.count : 0
}

/** What each window becomes when one is counted in all, or which of them is full. */
export function addToWindows(
  windows: readonly CountWindow[],
  records: readonly (WindowRecord | undefined)[],
  now: number,
): { kind: 'counted'; records: readonly WindowRecord[] } | Extract<Counted, { kind: 'full' }> {
  const counted: WindowRecord[] = []
  for (const [index, { limit, windowMs }] of windows.entries()) {
    const record = records[index]
    const running = record !== undefined && record.endsAt > now
    const count = readWindow(record, now)
    const endsAt = running ? record.endsAt : now + windowMs
    if (count >= limit) return { kind: 'full', full: index, retryAt: endsAt }
    counted.push({ count: count + 1, endsAt })
  }
  return { kind: 'counted', records: counted }
}
