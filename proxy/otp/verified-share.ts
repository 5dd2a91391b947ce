import { keyOf } from '../store/key-of.ts'
import type { CountWindow, Store } from '../store/store.ts'

const BUCKET = 5 * 60_000
const BUCKETS = 12
// Long enough for the last look at a bucket, whenever in it the first code was made.
const KEPT = 3 * 3_600_000

/** Codes of an hour, and how many of them were typed in. */
export type VerifiedShare = { readonly codes: number; readonly verified: number }

const codesKey = (bucket: number) => keyOf('codes', String(bucket))
const openKey = (bucket: number) => keyOf('codes-open', String(bucket))
const bucketOf = (time: number) => Math.floor(time / BUCKET)

/** Where a code is counted that was made at `createdAt`; neither is ever full. */
export function codeWindows(createdAt: number): readonly CountWindow[] {
  const bucket = bucketOf(createdAt)
  return [codesKey(bucket), openKey(bucket)].map((key) => ({
    key,
    limit: Number.POSITIVE_INFINITY,
    windowMs: KEPT,
  }))
}

/** Where a code that was typed in is taken back from. */
export function openCodeKey(createdAt: number): string {
  return openKey(bucketOf(createdAt))
}

/** Of the codes of the last hour that can't be typed in any more, `ttl` (ms) after they were made. */
export async function readVerifiedShare(
  store: Store,
  ttl: number,
  now: number,
): Promise<VerifiedShare> {
  const closed = bucketOf(now - ttl)
  const buckets = Array.from({ length: BUCKETS }, (_, index) => closed - BUCKETS + index)
  const counts = await store.counts([...buckets.map(codesKey), ...buckets.map(openKey)], now)
  const sum = (from: number) =>
    counts.slice(from, from + BUCKETS).reduce((total, count) => total + count, 0)
  const codes = sum(0)
  return { codes, verified: codes - sum(BUCKETS) }
}
