import * as oidc from 'openid-client'
import type { Config } from '../config/config.ts'
import { errorCode } from '../error-code.ts'
import type { Log } from '../log.ts'
import type { PartCheck } from '../part-check.ts'
import {
  type AuthorizationRequest,
  type Claims,
  type ExpectedResponse,
  type Provider,
  ProviderUnknownError,
  type Redeemed,
} from './provider.ts'
import { createKeyedConfigurations } from './provider-openid-keys.ts'
import { createLogoutReader } from './provider-openid-logout.ts'
import { clientVerdict, discoveryProblem } from './provider-problem.ts'

const FIRST_RETRY = 500
const LAST_RETRY = 15_000
const TIMEOUT = 10_000

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
 * request to it may take `timeout` ms; `elapsed` is a clock that never goes back (ms).
 */
export function createProvider(
  settings: Config['oidc'],
  secret: string,
  log: Log,
  { timeout = TIMEOUT, elapsed = () => performance.now() } = {},
): Provider {
  let known: oidc.Configuration | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const execute = [
    oidc.enableNonRepudiationChecks,
    // Only a loopback issuer may be http: configuration refuses the rest.
    ...(settings.issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : []),
  ]
  const authenticate = authenticateWith(secret)

  async function discover(): Promise<oidc.Configuration> {
    const options = { timeout: timeout / 1000, execute }
    const { issuer, clientId } = settings
    const found = await oidc.discovery(issuer, clientId, undefined, authenticate, options)
    const metadata = found.serverMetadata()
    const unusable = ENDPOINTS.find((name) => !isEndpoint(metadata[name], issuer))
    if (unusable !== undefined) throw new ProviderMetadataError(unusable)
    return found
  }

  const keyed = createKeyedConfigurations(() => {
    const server = requireKnown().serverMetadata()
    const made = new oidc.Configuration(server, settings.clientId, undefined, authenticate)
    made.timeout = timeout / 1000
    for (const apply of execute) apply(made)
    return made
  }, elapsed)

  const readLogoutToken = createLogoutReader(settings.clientId, timeout)

  async function discoverUntilKnown(wait: number): Promise<void> {
    try {
      known = await discover()
      log.info('OpenID provider is known', { issuer: settings.issuer.href })
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
      return checkClient(found, redirectUri)
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
    async redeem(callback, expected) {
      const configuration = keyed.current()
      const redeemed = await redeem(configuration, settings, callback, expected)
      keyed.used(configuration, redeemed.kind === 'signed-in')
      return redeemed
    },
    canSignOut,
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
    const complete = wantedClaims(settings).every((claim) => claims[claim] !== undefined)
    const userinfo =
      complete || provider.serverMetadata().userinfo_endpoint === undefined
        ? {}
        : await oidc.fetchUserInfo(provider, tokens.access_token, claims.sub)
    // The ID token is signed, the userinfo answer is not: where both say something, the first counts.
    // And userinfo is about the person, so how this sign-in went it can't say.
    const person = {
      ...userinfo,
      acr: undefined,
      amr: undefined,
      auth_time: undefined,
      sid: undefined,
    }
    return {
      kind: 'signed-in',
      claims: { ...person, ...claims } as Claims,
      idToken: tokens.id_token,
    }
  } catch (error) {
    return asRedeemed(error)
  }
}

/** Redeems a code that the provider never gave, to see what it thinks of the client. */
async function checkClient(found: oidc.Configuration, redirectUri: URL): Promise<PartCheck> {
  const { issuer } = found.serverMetadata()
  const error = await oidc
    .genericGrantRequest(found, 'authorization_code', {
      code: 'stepgate-check',
      redirect_uri: redirectUri.href,
      code_verifier: oidc.randomPKCECodeVerifier(),
    })
    .then(() => undefined, oauthErrorOf)
  const verdict = clientVerdict(error)
  if (verdict.kind === 'problem')
    return { ...verdict, detail: `${issuer} is known, but ${verdict.detail}` }
  const client =
    verdict.kind === 'known' ? 'it knows the client' : 'whether it knows the client is unclear'
  return { kind: 'ok', detail: `${issuer} is known, and ${client}` }
}

function oauthErrorOf(error: unknown): string | undefined {
  if (error instanceof oidc.ResponseBodyError) return error.error
  if (error instanceof oidc.WWWAuthenticateChallengeError) {
    return error.status === 401 ? 'invalid_client' : undefined
  }
  return undefined
}

/** Claims that userinfo is asked for when the ID token lacks one of them. */
function wantedClaims({ usernameClaim, groupsClaim, scopes }: Config['oidc']): string[] {
  return [
    usernameClaim,
    groupsClaim,
    'name',
    ...(scopes.includes('email') ? ['email', 'email_verified'] : []),
    ...(scopes.includes('phone') ? ['phone_number', 'phone_number_verified'] : []),
  ]
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
  const code = errorCode(error) ?? (error instanceof Error ? error.name : 'unknown')
  const cause = error instanceof Error ? errorCode(error.cause) : undefined
  return { code, ...(cause !== undefined && { cause }) }
}

/** What the provider answered instead of its metadata. */
function answerOf(error: unknown): { status?: number; otherIssuer?: string } {
  const cause = error instanceof Error ? error.cause : undefined
  if (cause instanceof Response) return { status: cause.status }
  const { body } = (cause ?? {}) as { body?: { issuer?: unknown } }
  const other = typeof body?.issuer === 'string' ? URL.parse(body.issuer)?.href : undefined
  return other === undefined ? {} : { otherIssuer: other }
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
