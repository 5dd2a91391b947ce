/**
 * What must not be replayed or counted twice, shared by all processes of one installation.
 * Keys are opaque strings made by `keyOf`; values are opaque strings, sealed by the caller when
 * they hold anything private. All times are epoch milliseconds and come from the caller; what has
 * expired reads as absent. Each operation is atomic over all processes.
 * A store that can't answer throws `StoreUnavailableError`: callers fail closed.
 */
export type Store = {
  /** The value, or undefined when there is none or it has expired. */
  get(key: string, now: number): Promise<string | undefined>
  /** Writes, whatever was there. */
  put(key: string, value: string, expiresAt: number): Promise<void>
  /**
   * Compare and swap: writes `value` only if the present value is `expected` (undefined: none).
   * On conflict the present value comes back.
   */
  swap(
    key: string,
    expected: string | undefined,
    value: string,
    expiresAt: number,
    now: number,
  ): Promise<Swapped>
  /** Reads and removes in one step: of several concurrent callers one gets the value. */
  take(key: string, now: number): Promise<string | undefined>
  /** Removes a value, a strike record or a count; nothing happens when there is none. */
  remove(key: string): Promise<void>
  /**
   * Counts one try and sets the wait that follows it. While a wait is running nothing is counted.
   * `waits[n - 1]` is the wait after the nth strike in ms (0: none; the last repeats; Infinity:
   * until the record expires). Each strike prolongs the record to `expiresAt` and never shortens
   * it; a wait ends with its record at the latest.
   */
  strike(key: string, waits: readonly number[], expiresAt: number, now: number): Promise<Strike>
  /**
   * Ends the wait that the `nth` strike began, if that is the last one, and leaves `left` strikes
   * counted; nothing happens when it is not. The record ends no sooner or later for it.
   */
  waive(key: string, nth: number, left: number, now: number): Promise<void>
  /** The strike record as it stands, without counting. */
  strikes(key: string, now: number): Promise<Strike>
  /**
   * Counts one in every window, or in none if one of them is full. A window starts with its first
   * count and lasts `windowMs`. The keys differ from one another.
   */
  count(windows: readonly CountWindow[], now: number): Promise<Counted>
  /** The count of each key's window as it stands, 0 where none is running; counts nothing. */
  counts(keys: readonly string[], now: number): Promise<readonly number[]>
  /**
   * Takes one back from each key's running window, and two for a key that is given twice. A count
   * stops at 0; where no window is running nothing happens; no window ends sooner or later for it.
   */
  uncount(keys: readonly string[], now: number): Promise<void>
  /** Remembers that this session id or family is dead, until no cookie of it could still be valid. */
  revoke(id: string, expiresAt: number): Promise<void>
  /**
   * All revocations that have not expired, in the order in which they came, after `cursor` (0:
   * all). `lost`: the cursor is none of this store's, perhaps because what gave it was lost; it
   * reads as 0.
   */
  revocations(cursor: number, now: number): Promise<Revocations>
  /** Resolves when a write would succeed; throws `StoreUnavailableError` otherwise. */
  ping(): Promise<void>
  close(): Promise<void>
}

export type Swapped = { kind: 'stored' } | { kind: 'conflict'; value: string | undefined }

/** `count` strikes so far; `until` is when the wait ends (epoch ms, 0: none, Infinity: with the record). */
export type Strike =
  | { kind: 'counted'; count: number; until: number }
  | { kind: 'waiting'; count: number; until: number }

export type CountWindow = { key: string; limit: number; windowMs: number }

/** `full` is the index of the first window that is full, `retryAt` when it ends (epoch ms). */
export type Counted = { kind: 'counted' } | { kind: 'full'; full: number; retryAt: number }

export type Revocations = {
  ids: readonly { id: string; expiresAt: number }[]
  cursor: number
  lost: boolean
}

/** The store did not answer, is full or is locked. */
export class StoreUnavailableError extends Error {
  readonly code = 'store_unavailable'
  constructor(cause: unknown) {
    super('The store did not answer', { cause })
    this.name = 'StoreUnavailableError'
  }
}

/** For `catch` where it is enough to try: undefined for a store that did not answer; the rest is thrown. */
export function ifUnavailable(error: unknown): undefined {
  if (!(error instanceof StoreUnavailableError)) throw error
}
