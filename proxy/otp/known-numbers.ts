import { keyOf } from '../store/key-of.ts'
import type { Store } from '../store/store.ts'

/** How long (ms) a number stays known after a code that went to it was typed in. */
const KNOWN_FOR = 30 * 86_400_000

const knownKey = (subject: string, phone: string) => keyOf('known-number', subject, phone)

/** Whether this person has lately typed in a code that went to this number. */
export async function isKnown(
  store: Store,
  subject: string,
  phone: string,
  now: number,
): Promise<boolean> {
  return (await store.get(knownKey(subject, phone), now)) !== undefined
}

/** From here on the number is known as this person's. */
export function makeKnown(
  store: Store,
  subject: string,
  phone: string,
  now: number,
): Promise<void> {
  return store.put(knownKey(subject, phone), '1', now + KNOWN_FOR)
}
