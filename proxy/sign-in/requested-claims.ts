import { isDeepStrictEqual } from 'node:util'
import type { ClaimsRequest } from '../config/config.ts'
import type { Claims } from './provider.ts'

/** Names of the claims about the person that configuration asks for by name. */
export function requestedClaims(request: ClaimsRequest = {}): readonly string[] {
  return Object.keys(request.userinfo ?? {})
}

/** How a sign-in went: neither userinfo nor a recheck can say it. */
export const OF_SIGN_IN: ReadonlySet<string> = new Set(['acr', 'amr', 'auth_time', 'sid'])

/**
 * The first claim that was asked for as essential and did not come, or came with another value than
 * asked for (OpenID Connect Core §5.5.1); a provider may well ignore what it was asked. Those that
 * are not `isJudged` may be as they are.
 */
export function unmetClaim(
  request: ClaimsRequest = {},
  claims: Claims,
  isJudged: (name: string) => boolean = () => true,
): string | undefined {
  const wanted = [request.id_token, request.userinfo].flatMap((place) =>
    Object.entries(place ?? {}),
  )
  const unmet = wanted.find(([name, one]) => {
    if (one?.essential !== true || !isJudged(name)) return false
    const { values = one.value === undefined ? undefined : [one.value] } = one
    return !isMet(name, claims[name], values)
  })
  return unmet?.[0]
}

function isMet(name: string, claim: unknown, values: readonly unknown[] | undefined): boolean {
  if (claim === undefined || claim === null) return false
  // An acr is one text: a list of them proves nothing.
  if (name === 'acr' && typeof claim !== 'string') return false
  const held = Array.isArray(claim) ? [claim, ...claim] : [claim]
  return (
    values === undefined ||
    values.some((value) => held.some((one) => isDeepStrictEqual(one, value)))
  )
}
