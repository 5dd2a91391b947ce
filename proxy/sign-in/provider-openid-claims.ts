import * as oidc from 'openid-client'
import type { Config } from '../config/config.ts'
import { errorCode } from '../error-code.ts'
import type { Claims } from './provider.ts'
import { OF_SIGN_IN, requestedClaims } from './requested-claims.ts'

/**
 * The claims of an ID token and, where it lacks one that we want, of userinfo. The ID token is signed,
 * the userinfo answer is not: where both say something, the first counts. And userinfo is about the
 * person, so how a sign-in went it can't say.
 */
export async function completeClaims(
  provider: oidc.Configuration,
  settings: Config['oidc'],
  claims: Claims & { readonly sub: string },
  accessToken: string,
): Promise<Claims> {
  const complete = wantedClaims(settings).every((claim) => claims[claim] !== undefined)
  const userinfo =
    complete || provider.serverMetadata().userinfo_endpoint === undefined
      ? {}
      : await oidc.fetchUserInfo(provider, accessToken, claims.sub)
  const person = Object.entries(userinfo).filter(([name]) => !OF_SIGN_IN.has(name))
  return {
    ...Object.fromEntries(person),
    ...claims,
    ...verified('email', claims, userinfo),
    ...verified('phone_number', claims, userinfo),
  }
}

/**
 * A value and whether it is verified, where the ID token does not say both and either is in it: then
 * the two are userinfo's together, as a flag is about no value but the one that it came with.
 */
function verified(value: 'email' | 'phone_number', claims: Claims, userinfo: Claims): Claims {
  const flag = `${value}_verified`
  const isOfToken = claims[flag] !== undefined && claims[value] !== undefined
  const isSaid = claims[flag] !== undefined || userinfo[flag] !== undefined
  if (isOfToken || !isSaid) return {}
  return { [value]: userinfo[value], [flag]: userinfo[flag] ?? false }
}

/** Claims that userinfo is asked for when the ID token lacks one of them. */
function wantedClaims({ usernameClaim, groupsClaim, scopes, request }: Config['oidc']): string[] {
  return [
    usernameClaim,
    groupsClaim,
    'name',
    ...(scopes.includes('email') ? ['email', 'email_verified'] : []),
    ...(scopes.includes('phone') ? ['phone_number', 'phone_number_verified'] : []),
    ...requestedClaims(request.claims),
  ]
}

/** Codes only: messages and causes of the library can hold tokens. */
export function codesOf(error: unknown): { code: string; cause?: string } {
  const code = errorCode(error) ?? (error instanceof Error ? error.name : 'unknown')
  const cause = error instanceof Error ? errorCode(error.cause) : undefined
  return { code, ...(cause !== undefined && { cause }) }
}
