import type { Config } from '../config/config.ts'
import { freezeSession } from '../session/read-session.ts'
import type { Session } from '../session/session.ts'
import { startSession } from '../session/transitions.ts'
import type { Claims } from '../sign-in/provider.ts'
import { readIdentity } from '../sign-in/read-identity.ts'

/**
 * Whom an access token speaks for, as rules and headers know people; `id` is new for each token. A
 * machine without a username is called by its subject. A token that does not say when somebody signed
 * in satisfies no `max_age` and no `signed_in_within`: it may have been renewed for months. Nor is it ever
 * rechecked, as it has no `checkedAt`. Undefined without a subject.
 */
export function tokenSession(
  claims: Claims,
  config: Pick<Config, 'oidc' | 'smsCountries'>,
  id: string,
  now: number,
): Session | undefined {
  const { auth_time: authTime, iat } = claims
  const dated = { ...claims, auth_time: authTime ?? iat }
  const named = readIdentity(dated, config, now)
  const oidc = { ...config.oidc, usernameClaim: 'sub' }
  const read = named.kind === 'missing' ? readIdentity(dated, { ...config, oidc }, now) : named
  if (read.kind === 'missing') return undefined
  const { authTimeGiven: _given, ...undated } = read.identity
  const identity = Number.isFinite(authTime) ? read.identity : undated
  return freezeSession({
    ...startSession(identity, { id, family: id, now }),
    createdAt: Number.isFinite(iat) ? Math.trunc(Math.min(Number(iat) * 1000, now)) : now,
  })
}
