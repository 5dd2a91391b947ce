import { isDeepStrictEqual } from 'node:util'
import type { ClaimsRequest } from '../config/config.ts'
import type { Claims } from './provider.ts'

/** Names of the claims about the person that configuration asks for by name. */
export function requestedClaims(request: ClaimsRequest = {}): readonly string[] {
  return Object.keys(request.userinfo ?? {})
}

/**
 * The first claim that was asked for as essential and did not come, or came with another value than
 * asked for (OpenID Connect Core §5.5.1); a provider may well ignore what it was asked.
 */
export function unmetClaim(request: ClaimsRequest = {}, claims: Claims): string | undefined {
  const wanted = [request.id_token, request.userinfo].flatMap((place) =>
    Object.entries(place ?? {}),
  )
  const unmet = wanted.find(([name, one]) => {
    if (one?.essential !== true) return false
    const { values = one.value === undefined ? undefined : [one.value] } = one
    return !isMet(name, claims[name], values)
  })
  return unmet?.[0]
}

/** What userinfo, which is about the person, can't say, nor whoever is asked without the person. */
export const OF_SIGN_IN: ReadonlySet<string> = new Set(['acr', 'amr', 'auth_time', 'sid'])

/** The same at a recheck, where nobody signs in. */
export function unmetClaimOfPerson(request: ClaimsRequest = {}, claims: Claims) {
  const ofPerson = (place: ClaimsRequest['userinfo'] = {}) =>
    Object.fromEntries(Object.entries(place).filter(([name]) => !OF_SIGN_IN.has(name)))
  const { id_token, userinfo } = request
  return unmetClaim({ id_token: ofPerson(id_token), userinfo: ofPerson(userinfo) }, claims)
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
