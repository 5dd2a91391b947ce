import type { LimitParts } from './count-sending.ts'
import { personKeys } from './send-limits.ts'
import { failuresKey, type Locked, readLock } from './verify-code.ts'

/** How a person stood before: wrong codes in a row, messages in the longest window, and the lock. */
export type Unlocked = {
  readonly failures: number
  readonly messages: number
  readonly lock: Locked | undefined
}

/**
 * Forgets a person's wrong codes, and with them the wait or lock, and what was sent to her. What was
 * sent to her number, by whomever, still counts. Throws `StoreUnavailableError`.
 */
export async function unlockPerson(
  { store, limits }: LimitParts,
  subject: string,
  now: number,
): Promise<Unlocked> {
  const lock = await readLock({ store }, subject, now)
  const { count } = await store.strikes(failuresKey(subject), now)
  const keys = personKeys('sms', limits.sms, subject)
  const calls = personKeys('call', limits.call, subject)
  const messages = Math.max(...(await store.counts(keys, now)))
  for (const key of [failuresKey(subject), ...keys, ...calls]) await store.remove(key)
  return { failures: count, messages, lock }
}
