import { keyOf } from '../store/key-of.ts'
import { ifUnavailable, type Store } from '../store/store.ts'
import type { Session } from './session.ts'
import { expiresAt, type SessionLimits } from './transitions.ts'

/** When session families were last seen, by whatever process: for what stays open in another one. */
export type Activity = {
  /** To be called when a session's cookie is written again. */
  note(session: Session): void
  /** Epoch ms; 0 where nothing is known. */
  lastSeen(family: string, now: number): Promise<number>
}

const seenKey = (family: string) => keyOf('seen', family)

/** Keeps it in the store. Nobody waits for that, and where it fails the idle limit ends the sooner. */
export function createActivity(store: Store, limits: SessionLimits): Activity {
  return {
    note(session) {
      const { family, seenAt } = session
      store.put(seenKey(family), `${seenAt}`, expiresAt(session, limits)).catch(ifUnavailable)
    },
    async lastSeen(family, now) {
      return Number((await store.get(seenKey(family), now).catch(ifUnavailable)) ?? 0)
    },
  }
}
