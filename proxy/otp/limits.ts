const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Waits (ms) after the 1st, 2nd, 3rd and every further message to one number in one session. */
export const RESEND_WAITS: readonly number[] = [30 * SECOND, 60 * SECOND, 120 * SECOND]

/** Failures in a row, over all challenges and sessions of a person, that lock for a day. */
export const LOCK_AT = 50

/** How long a person's failures are remembered after the last one, and how long a lock lasts (ms). */
export const FAILURES_REMEMBERED = DAY

/** Waits after the nth failure in a row: 30 s after the 10th, doubling to 1 h; a day after the 50th. */
export const FAILURE_WAITS: readonly number[] = Array.from({ length: LOCK_AT }, (_, index) => {
  const failures = index + 1
  if (failures === LOCK_AT) return FAILURES_REMEMBERED
  return failures < 10 ? 0 : Math.min(30 * SECOND * 2 ** (failures - 10), HOUR)
})

/** No wait between the tries of one code, and no end to the wait after the last. */
export function attemptWaits(attempts: number): readonly number[] {
  return Array.from({ length: attempts }, (_, index) =>
    index + 1 < attempts ? 0 : Number.POSITIVE_INFINITY,
  )
}
