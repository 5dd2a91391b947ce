/** What is known of one address of an application; times in ms of one clock that never goes back. */
export type AddressHealth = {
  /** Exchanges under way. */
  pending: number
  /** Failures in a row. */
  failures: number
  /** When it is tried again; 0 while it is well. */
  retryAt: number
}

/** In ms: how long an address is passed over after its first failure, and at most. */
const FIRST_WAIT = 1_000
const LONGEST_WAIT = 60_000

/** Of an address that nothing has been sent to yet. */
export function freshHealth(): AddressHealth {
  return { pending: 0, failures: 0, retryAt: 0 }
}

/**
 * The address for an exchange: of those that are not passed over the one with the fewest exchanges
 * under way, since these differ too much in length to be dealt out in turn; among equals the first
 * from `turn` on. If all are passed over, all are tried again. `except` has just failed: it is the
 * last choice.
 */
export function pickAddress<T extends AddressHealth>(
  addresses: readonly [T, ...T[]],
  turn: number,
  now: number,
  except?: T,
): T {
  let best: T | undefined
  for (let i = 0; i < addresses.length; i++) {
    const address = addresses[(turn + i) % addresses.length] as T
    if (address === except) continue
    if (best === undefined || isBetter(address, best, now)) best = address
  }
  return best ?? addresses[0]
}

function isBetter(address: AddressHealth, best: AddressHealth, now: number): boolean {
  const isSkipped = address.retryAt > now
  if (isSkipped !== best.retryAt > now) return !isSkipped
  return address.pending < best.pending
}

/**
 * Passes an address over: for a second, then twice as long each time, up to a minute. Returns for how
 * long, or undefined if it is passed over already: many exchanges that fail at once are one failure.
 */
export function markFailed(address: AddressHealth, now: number): number | undefined {
  if (address.retryAt > now) return undefined
  const wait = Math.min(FIRST_WAIT * 2 ** address.failures, LONGEST_WAIT)
  address.failures += 1
  address.retryAt = now + wait
  return wait
}

/** An address that has begun to answer is well. Returns whether it was not. */
export function markWell(address: AddressHealth): boolean {
  const wasIll = address.failures > 0
  address.failures = 0
  address.retryAt = 0
  return wasIll
}
