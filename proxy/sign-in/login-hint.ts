import type { AuthorizationSettings } from '../config/config.ts'
import type { Session } from '../session/session.ts'

/** One line, as long as a name or an e-mail address may be; a link can hold anything. */
const HINT = /^\P{Cc}{1,320}$/u

/**
 * Whom the provider may expect (`login_hint`, OpenID Connect Core §3.1.2.1): the one whom a link
 * names, or whose session it is that has to be proved anew. It is a hint: it proves nothing.
 */
export function loginHint(
  setting: AuthorizationSettings['loginHint'],
  asked: string | null | undefined,
  session: Pick<Session, 'username' | 'email'> | undefined,
): string | undefined {
  if (setting === 'off') return undefined
  if (asked !== null && asked !== undefined && HINT.test(asked)) return asked
  return session?.[setting]
}
