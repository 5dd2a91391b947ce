import { sealData, unsealData } from 'iron-session'
import type { Iron } from './iron.ts'

/** By iron-session. */
export const ironSession: Iron = {
  // 0: no expiry by iron-session, whose clock is not ours and whose grace is a minute.
  seal: (value, id, password) => sealData(value, { password: { [id]: password }, ttl: 0 }),
  unseal: (sealed, passwords) => unsealData<object>(sealed, { password: passwords, ttl: 0 }),
}
