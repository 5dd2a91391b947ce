import type { Config } from '../config/config.ts'
import { freezeSession } from '../session/read-session.ts'
import type { Session } from '../session/session.ts'
import { startSession } from '../session/transitions.ts'
import type { Claims } from '../sign-in/provider.ts'
import { readIdentity } from '../sign-in/read-identity.ts'

/**
 * Whom an access token speaks for, as rules and headers know people; `id` is new for each token. A
 * machine without a username is called by its subject. A token that does not say when somebody signed
 * in has `authTime` 0 and satisfies no `max_age` and no `signed_in_within`: it may have been renewed for
 * months. Nor is it ever rechecked, as it has no `checkedAt`. Undefined without a subject.
 */
export function tokenSession(
  claims: Claims,
  config: Pick<Config, 'oidc' | 'smsCountries'>,
  id: string,
  now: number,
): Session | undefined {
  const { iat } = claims
  const named = readIdentity(claims, config, now)
  const oidc = { ...config.oidc, usernameClaim: 'sub' }
  const read = named.kind === 'missing' ? readIdentity(claims, { ...config, oidc }, now) : named
  if (read.kind === 'missing') return undefined
  const session = startSession(read.identity, { id, family: id, now })
  return freezeSession({
    ...session,
    ...(session.authTimeGiven !== true && { authTime: 0 }),
    createdAt: Number.isFinite(iat) ? Math.trunc(Math.min(Number(iat) * 1000, now)) : now,
  })
}
