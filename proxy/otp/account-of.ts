import type { Account } from '../../pages/parts/account.ts'
import type { Session } from '../session/session.ts'

/** Who is signed in, as pages show it. */
export function accountOf({ username }: Session): Account {
  return { username, signOutUrl: '/_stepgate/sign-out' }
}
