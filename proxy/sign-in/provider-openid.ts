import * as oidc from 'openid-client'
import type { Config, OidcCredential } from '../config/config.ts'
import type { Log } from '../log.ts'
import { authorizationParameters } from './authorization-parameters.ts'
import { checkClient } from './check-client-openid.ts'
import { authenticateWith, clientAuthProblem } from './client-auth-openid.ts'
import {
  type AuthorizationRequest,
  type ExpectedResponse,
  type Introspected,
  type Provider,
  ProviderUnknownError,
  type Redeemed,
} from './provider.ts'
import { codesOf, completeClaims } from './provider-openid-claims.ts'
import { createKeyedConfigurations } from './provider-openid-keys.ts'
import { createLogoutReader } from './provider-openid-logout.ts'
import { createPusher, needsPush } from './provider-openid-push.ts'
import { keepGrants, refreshGrant } from './provider-openid-refresh.ts'
import { discoveryProblem } from './provider-problem.ts'

const FIRST_RETRY = 500
const LAST_RETRY = 15_000
const TIMEOUT = 10_000

const NO_REFRESH_TOKENS =
  "The provider's metadata names no refresh tokens: without them sessions can not be rechecked, and an account that is disabled there keeps its sessions until they end by themselves"

/** What a sign-in can't do without (OpenID Connect Discovery §3). */
const ENDPOINTS = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const

/** The provider's metadata can be read, but one of the endpoints in it is missing or no URL. */
class ProviderMetadataError extends Error {
  readonly code = 'unusable_metadata'
  readonly endpoint: string
  constructor(endpoint: string) {
    super(`The provider's metadata has no usable ${endpoint}`)
    this.name = 'ProviderMetadataError'
    this.endpoint = endpoint
  }
}

/**
 * The provider through openid-client: code flow, PKCE, ID token signature always verified. Each
 * request to it may take `timeout` ms; `elapsed` is a clock that never goes back (ms). `wantsRefresh`:
 * the log is to hear when it gives no refresh tokens.
 */
export function createProvider(
  settings: Config['oidc'],
  credential: OidcCredential,
  log: Log,
  { timeout = TIMEOUT, elapsed = () => performance.now(), wantsRefresh = false } = {},
): Provider {
  let known: oidc.Configuration | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const execute = [
    oidc.enableNonRepudiationChecks,
    // Only a loopback issuer may be http: configuration refuses the rest.
    ...(settings.issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : []),
  ]
  const authenticate = authenticateWith(credential)

  async function discover(): Promise<oidc.Configuration> {
    const options = { timeout: timeout / 1000, execute }
    const { issuer, clientId } = settings
    const found = await oidc.discovery(issuer, clientId, undefined, authenticate, options)
    const metadata = found.serverMetadata()
    const needed = needsPush(settings, metadata)
      ? ([...ENDPOINTS, 'pushed_authorization_request_endpoint'] as const)
      : ENDPOINTS
    const unusable = needed.find((name) => !isEndpoint(metadata[name], issuer))
    if (unusable !== undefined) throw new ProviderMetadataError(unusable)
    return found
  }

  const push = createPusher(log)

  const keyed = createKeyedConfigurations(() => {
    const server = requireKnown().serverMetadata()
    const made = new oidc.Configuration(server, settings.clientId, undefined, authenticate)
    made.timeout = timeout / 1000
    for (const apply of execute) apply(made)
    made[oidc.customFetch] = keepGrants
    return made
  }, elapsed)

  const readLogoutToken = createLogoutReader(settings.clientId, timeout)

  async function discoverUntilKnown(wait: number): Promise<void> {
    try {
      known = await discover()
      log.info('OpenID provider is known', { issuer: settings.issuer.href })
      const { grant_types_supported: grants } = known.serverMetadata()
      // Many don't say: what they give is then seen at the first sign-in.
      const named = Array.isArray(grants) ? grants : undefined
      if (wantsRefresh && named?.includes('refresh_token') === false) log.warn(NO_REFRESH_TOKENS)
      const problem = clientAuthProblem(credential, known.serverMetadata())
      if (problem !== undefined) log.warn(`OpenID provider may not know the client: ${problem}`)
    } catch (error) {
      if (closed) return
      log.error('OpenID provider can not be discovered, trying again', {
        issuer: settings.issuer.href,
        retry_in_ms: wait,
        ...reasonOf(error),
      })
      timer = setTimeout(discoverUntilKnown, wait, Math.min(wait * 2, LAST_RETRY))
    }
  }

  function requireKnown(): oidc.Configuration {
    if (known === undefined) throw new ProviderUnknownError()
    return known
  }

  const canSignOut = () =>
    known !== undefined && isEndpoint(known.serverMetadata().end_session_endpoint, settings.issuer)

  return {
    isKnown: () => known !== undefined,
    start: () => void discoverUntilKnown(FIRST_RETRY),
    async check(redirectUri) {
      let found: oidc.Configuration
      try {
        found = await discover()
      } catch (error) {
        const failure = { ...reasonOf(error), ...answerOf(error) }
        return { kind: 'problem', detail: discoveryProblem(settings.issuer, failure) }
      }
      known = found
      return checkClient(found, settings, credential, redirectUri)
    },
    async authorizationUrl(request: AuthorizationRequest) {
      const provider = requireKnown()
      const challenge = await oidc.calculatePKCECodeChallenge(request.codeVerifier)
      const parameters = authorizationParameters(settings, request, challenge)
      return needsPush(settings, provider.serverMetadata())
        ? push(provider, parameters)
        : oidc.buildAuthorizationUrl(provider, parameters)
    },
    pushes: () => known !== undefined && needsPush(settings, known.serverMetadata()),
    async redeem(callback, expected) {
      const configuration = keyed.current()
      const redeemed = await redeem(configuration, settings, callback, expected)
      keyed.used(configuration, redeemed.kind === 'signed-in')
      return redeemed
    },
    async refresh(refreshToken, subject) {
      if (known === undefined) return { kind: 'unknown', code: 'provider_unknown', unsure: false }
      const configuration = keyed.current()
      const refreshed = await refreshGrant(configuration, settings, refreshToken, subject)
      keyed.used(configuration, refreshed.kind === 'refreshed')
      return refreshed
    },
    canSignOut,
    tokenKeys() {
      if (known === undefined) return undefined
      const { issuer, jwks_uri } = known.serverMetadata()
      // Discovery has looked at it.
      return { issuer, jwksUri: new URL(jwks_uri as string) }
    },
    introspect: (token) => introspect(known, token),
    endSessionUrl(idToken, returnTo, { state, uiLocales } = {}) {
      if (known === undefined || !canSignOut()) return undefined
      return oidc.buildEndSessionUrl(known, {
        post_logout_redirect_uri: returnTo.href,
        ...(idToken !== undefined && { id_token_hint: idToken }),
        ...(state !== undefined && { state }),
        ...(uiLocales !== undefined && { ui_locales: uiLocales }),
      })
    },
    readLogoutToken: async (token, now) =>
      known === undefined
        ? { kind: 'unavailable', code: 'provider_unknown' }
        : readLogoutToken(known.serverMetadata(), token, now),
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
    return {
      kind: 'signed-in',
      claims: await completeClaims(provider, settings, claims, tokens.access_token),
      idToken: tokens.id_token,
      ...(tokens.refresh_token !== undefined && { refreshToken: tokens.refresh_token }),
    }
  } catch (error) {
    return asRedeemed(error)
  }
}

async function introspect(
  provider: oidc.Configuration | undefined,
  token: string,
): Promise<Introspected> {
  if (provider === undefined) return { kind: 'unavailable', code: 'provider_unknown' }
  try {
    const hint = { token_type_hint: 'access_token' }
    const { active, ...claims } = await oidc.tokenIntrospection(provider, token, hint)
    return active ? { kind: 'active', claims } : { kind: 'inactive' }
  } catch (error) {
    return { kind: 'unavailable', code: reasonOf(error).code }
  }
}

function isEndpoint(url: string | undefined, issuer: URL): boolean {
  const protocol = URL.parse(url ?? '')?.protocol
  return protocol === 'https:' || (protocol === 'http:' && issuer.protocol === 'http:')
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
  if (error instanceof ProviderMetadataError) return { code: error.code, cause: error.endpoint }
  return codesOf(error)
}

/** What the provider answered instead of its metadata. */
function answerOf(error: unknown): { status?: number; otherIssuer?: string } {
  const cause = error instanceof Error ? error.cause : undefined
  if (cause instanceof Response) return { status: cause.status }
  const { body } = (cause ?? {}) as { body?: { issuer?: unknown } }
  const other = typeof body?.issuer === 'string' ? URL.parse(body.issuer)?.href : undefined
  return other === undefined ? {} : { otherIssuer: other }
}
