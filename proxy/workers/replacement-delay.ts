/** A worker that served for less than this (ms) died at once. */
const SHORT_LIFE = 10_000

const FIRST_WAIT = 1000
const LONGEST_WAIT = 30_000

/** How often in a row the workers in one place died at once, and the wait before the next one (ms). */
export type Replacement = { readonly shortLives: number; readonly delay: number }

/**
 * When a dead worker is replaced: at once, unless its predecessor died at once as well; then after a
 * wait that doubles to half a minute. `served` is for how long it took requests (ms, 0: never).
 */
export function replaceAfter(served: number, shortLivesBefore: number): Replacement {
  if (served >= SHORT_LIFE) return { shortLives: 0, delay: 0 }
  const shortLives = shortLivesBefore + 1
  const delay = shortLives === 1 ? 0 : Math.min(FIRST_WAIT * 2 ** (shortLives - 2), LONGEST_WAIT)
  return { shortLives, delay }
}
