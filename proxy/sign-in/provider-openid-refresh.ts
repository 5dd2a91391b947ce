import { AsyncLocalStorage } from 'node:async_hooks'
import * as oidc from 'openid-client'
import type { Config } from '../config/config.ts'
import type { Refreshed } from './provider.ts'
import { codesOf, completeClaims } from './provider-openid-claims.ts'

/** The token endpoint's answer to one refresh. */
type Grant = { response?: Response }

const grants = new AsyncLocalStorage<Grant>()

/**
 * A `fetch` that keeps the token endpoint's answer: a new refresh token in it is the only one from
 * then on, also when the rest of the answer is not accepted.
 */
export const keepGrants: oidc.CustomFetch = async (url, options) => {
  const response = await fetch(url, options as RequestInit)
  const grant = grants.getStore()
  if (grant !== undefined && options.method === 'POST') grant.response ??= response.clone()
  return response
}

/**
 * What a provider says of a refresh token when it is over: by RFC 6749 §5.2, and by OpenID Connect
 * Core §3.1.2.6 where it wants to see the person.
 */
const OVER: ReadonlySet<string> = new Set([
  'invalid_grant',
  'access_denied',
  'login_required',
  'interaction_required',
  'consent_required',
  'account_selection_required',
])

/** Uses a refresh token (OpenID Connect Core §12); `subject` is who it was given for. */
export async function refreshGrant(
  provider: oidc.Configuration,
  settings: Config['oidc'],
  refreshToken: string,
  subject: string,
): Promise<Refreshed> {
  const grant: Grant = {}
  try {
    const tokens = await grants.run(grant, () => oidc.refreshTokenGrant(provider, refreshToken))
    const rotated = tokens.refresh_token === undefined ? {} : { refreshToken: tokens.refresh_token }
    const { sub = subject, ...claims } = tokens.claims() ?? {}
    if (sub !== subject) return { kind: 'other-subject' }
    if (tokens.id_token === undefined && !provider.serverMetadata().userinfo_endpoint) {
      return { kind: 'refreshed', ...rotated }
    }
    const person = { ...claims, sub }
    const all = await completeClaims(provider, settings, person, tokens.access_token)
    // Userinfo alone may be a smaller set of claims than the ID token of the sign-in was.
    const partial = tokens.id_token === undefined && ({ partial: true } as const)
    return { kind: 'refreshed', claims: all, ...partial, ...rotated }
  } catch (error) {
    const granted = grant.response?.ok === true
    if (!granted && error instanceof oidc.ResponseBodyError && OVER.has(error.error)) {
      return { kind: 'refused', error: error.error }
    }
    if (granted && isOfAnother(error)) return { kind: 'other-subject' }
    const { code, cause } = codesOf(error)
    return { kind: 'unknown', code: cause ?? code, ...(await whatIsLeft(grant, error)) }
  }
}

/** Whether the old refresh token may be used up, and the new one if there is one. */
async function whatIsLeft(
  { response }: Grant,
  error: unknown,
): Promise<{ unsure: boolean; refreshToken?: string }> {
  if (response === undefined) return { unsure: !isUnsent(error) }
  // A gateway gives up on a provider that may be done all the same.
  if (!response.ok) return { unsure: response.status === 502 || response.status === 504 }
  const body: unknown = await response.json().catch(() => undefined)
  const { refresh_token: refreshToken } = (body ?? {}) as { refresh_token?: unknown }
  return typeof refreshToken === 'string' ? { unsure: false, refreshToken } : { unsure: true }
}

/** Userinfo without an ID token, about somebody else. */
function isOfAnother(error: unknown): boolean {
  let at = error
  while (at instanceof Error) at = at.cause
  return (at as { attribute?: unknown } | undefined)?.attribute === 'sub'
}

const UNSENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** Whether a connection was never there, so that nothing can have been done with it. */
function isUnsent(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (UNSENT.has(String((cause as { code?: unknown }).code))) return true
  }
  return false
}
