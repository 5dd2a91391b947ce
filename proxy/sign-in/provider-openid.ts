import * as oidc from 'openid-client'
import type { Config } from '../config/config.ts'
import type { Log } from '../log.ts'
import {
  type AuthorizationRequest,
  type Claims,
  type ExpectedResponse,
  type Provider,
  ProviderUnknownError,
  type Redeemed,
} from './provider.ts'

const FIRST_RETRY = 500
const LAST_RETRY = 15_000
const TIMEOUT_SECONDS = 10

/** The provider through openid-client: code flow, PKCE, ID token signature always verified. */
export function createProvider(settings: Config['oidc'], secret: string, log: Log): Provider {
  let known: oidc.Configuration | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const execute = [
    oidc.enableNonRepudiationChecks,
    // Only a loopback issuer may be http: configuration refuses the rest.
    ...(settings.issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : []),
  ]
  const authenticate = authenticateWith(secret)
  const discover = () =>
    oidc.discovery(settings.issuer, settings.clientId, undefined, authenticate, {
      timeout: TIMEOUT_SECONDS,
      execute,
    })

  // The library keeps a provider's keys with its configuration and asks for new ones at most once a
  // minute, so that a sign-in right after a rotation would fail: each exchange gets fresh keys.
  function withFreshKeys(): oidc.Configuration {
    const server = requireKnown().serverMetadata()
    const fresh = new oidc.Configuration(server, settings.clientId, undefined, authenticate)
    fresh.timeout = TIMEOUT_SECONDS
    for (const apply of execute) apply(fresh)
    return fresh
  }

  async function discoverUntilKnown(wait: number): Promise<void> {
    try {
      known = await discover()
      log.info('OpenID provider is known', { issuer: settings.issuer.href })
    } catch (error) {
      log.error('OpenID provider can not be discovered, trying again', {
        issuer: settings.issuer.href,
        retry_in_ms: wait,
        ...reasonOf(error),
      })
      if (closed) return
      timer = setTimeout(discoverUntilKnown, wait, Math.min(wait * 2, LAST_RETRY))
    }
  }

  function requireKnown(): oidc.Configuration {
    if (known === undefined) throw new ProviderUnknownError()
    return known
  }

  const canSignOut = () => known?.serverMetadata().end_session_endpoint !== undefined

  return {
    isKnown: () => known !== undefined,
    start: () => void discoverUntilKnown(FIRST_RETRY),
    async check() {
      try {
        const { authorization_endpoint: endpoint } = (await discover()).serverMetadata()
        return endpoint === undefined
          ? { kind: 'problem', detail: 'its metadata has no authorization_endpoint' }
          : { kind: 'ok', detail: `discovered ${settings.issuer.href}` }
      } catch (error) {
        const { code, cause } = reasonOf(error)
        return { kind: 'problem', detail: [code, cause].filter(Boolean).join(': ') }
      }
    },
    async authorizationUrl(request: AuthorizationRequest) {
      return oidc.buildAuthorizationUrl(requireKnown(), {
        redirect_uri: request.redirectUri.href,
        response_type: 'code',
        scope: settings.scopes.join(' '),
        state: request.state,
        nonce: request.nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(request.codeVerifier),
        code_challenge_method: 'S256',
        ...(request.uiLocales !== undefined && { ui_locales: request.uiLocales }),
      })
    },
    redeem: (callback, expected) => redeem(withFreshKeys(), settings, callback, expected),
    canSignOut,
    endSessionUrl(idToken, returnTo) {
      if (known === undefined || !canSignOut()) return undefined
      return oidc.buildEndSessionUrl(known, {
        post_logout_redirect_uri: returnTo.href,
        ...(idToken !== undefined && { id_token_hint: idToken }),
      })
    },
    close() {
      closed = true
      clearTimeout(timer)
    },
  }
}

async function redeem(
  provider: oidc.Configuration,
  settings: Config['oidc'],
  callback: URL,
  expected: ExpectedResponse,
): Promise<Redeemed> {
  try {
    const tokens = await oidc.authorizationCodeGrant(provider, callback, {
      expectedState: expected.state,
      expectedNonce: expected.nonce,
      pkceCodeVerifier: expected.codeVerifier,
      idTokenExpected: true,
    })
    const claims = tokens.claims()
    if (claims === undefined || tokens.id_token === undefined) {
      return { kind: 'invalid', code: 'no_id_token' }
    }
    const wanted = [settings.usernameClaim, settings.groupsClaim, 'email', 'name']
    const complete = wanted.every((claim) => claims[claim] !== undefined)
    const userinfo =
      complete || provider.serverMetadata().userinfo_endpoint === undefined
        ? {}
        : await oidc.fetchUserInfo(provider, tokens.access_token, claims.sub)
    // The ID token is signed, the userinfo answer is not: where both say something, the first counts.
    return {
      kind: 'signed-in',
      claims: { ...userinfo, ...claims } as Claims,
      idToken: tokens.id_token,
    }
  } catch (error) {
    return asRedeemed(error)
  }
}

function asRedeemed(error: unknown): Redeemed {
  if (error instanceof oidc.AuthorizationResponseError) {
    const { error: code, error_description: description } = error
    return { kind: 'refused', error: code, ...(description !== undefined && { description }) }
  }
  const { code } = reasonOf(error)
  if (error instanceof oidc.ResponseBodyError) {
    return error.status >= 500
      ? { kind: 'unavailable', code }
      : { kind: 'invalid', code: error.error }
  }
  const unreachable = [
    'OAUTH_TIMEOUT',
    'OAUTH_ABORT',
    'OAUTH_RESPONSE_IS_NOT_CONFORM',
    'OAUTH_RESPONSE_IS_NOT_JSON',
    'OAUTH_PARSE_ERROR',
  ]
  return error instanceof TypeError || unreachable.includes(code)
    ? { kind: 'unavailable', code }
    : { kind: 'invalid', code }
}

/** Codes only: messages and causes of the library can hold tokens. */
function reasonOf(error: unknown): { code: string; cause?: string } {
  const code = codeOf(error) ?? (error instanceof Error ? error.name : 'unknown')
  const cause = error instanceof Error ? codeOf(error.cause) : undefined
  return { code, ...(cause !== undefined && { cause }) }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}

/** `client_secret_basic` where the provider's metadata allows it (OpenID Connect Discovery §3), else post. */
function authenticateWith(secret: string): oidc.ClientAuth {
  const basic = oidc.ClientSecretBasic(secret)
  const post = oidc.ClientSecretPost(secret)
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    return (methods.includes('client_secret_basic') ? basic : post)(server, ...rest)
  }
}
