import type { Config } from '../config/config.ts'
import type { AuthorizationRequest } from './provider.ts'

/**
 * Parameters of the authorization request besides `client_id` and `response_type` (OpenID Connect Core
 * §3.1.2.1): what configuration asks for, under what this sign-in needs.
 */
export function authorizationParameters(
  { scopes, request: settings }: Config['oidc'],
  request: AuthorizationRequest,
  codeChallenge: string,
): Record<string, string> {
  const { acrValues, claims, parameters } = settings
  const { uiLocales = settings.uiLocales, loginHint, maxAge } = request
  const prompt = new Set([
    ...(request.prompt === undefined ? [] : [request.prompt]),
    ...settings.prompt,
  ])
  return {
    ...Object.fromEntries(parameters.map(({ name, value }) => [name, value])),
    ...(acrValues.length > 0 && { acr_values: acrValues.join(' ') }),
    ...(claims !== undefined && { claims: JSON.stringify(claims) }),
    ...(prompt.size > 0 && { prompt: [...prompt].join(' ') }),
    ...(uiLocales !== undefined && { ui_locales: uiLocales }),
    ...(loginHint !== undefined && { login_hint: loginHint }),
    ...(maxAge !== undefined && { max_age: String(maxAge) }),
    scope: scopes.join(' '),
    redirect_uri: request.redirectUri.href,
    state: request.state,
    nonce: request.nonce,
    code_challenge: codeChallenge,
    code_challenge_method: 'S256',
  }
}
