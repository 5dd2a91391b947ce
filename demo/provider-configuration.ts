import type {
  AccountClaims,
  Configuration,
  interactionPolicy as InteractionPolicy,
  JWK,
  KoaContextWithOIDC,
} from 'oidc-provider'
import type { DemoPerson } from './people.ts'
import { interactionPolicy } from './provider-library.ts'
import { logoutPage, messagePage, providerLocales } from './provider-pages.ts'
import type { ProviderStore } from './provider-store.ts'

/** Claims by name that differ from what the person's entry says; `undefined` takes one away. */
export type ClaimOverrides = Readonly<Record<string, unknown>>

/** Everything that oidc-provider is built from; a new one is built when keys or claims change. */
export type ProviderState = {
  readonly people: readonly DemoPerson[]
  readonly store: ProviderStore
  readonly cookieKeys: readonly string[]
  /** Private signing keys, the one in use first. */
  readonly keys: readonly JWK[]
  readonly overrides: ReadonlyMap<string, ClaimOverrides>
  readonly acrValues: readonly string[]
  /** Usernames of accounts that exist and are good for nothing. */
  readonly disabled: ReadonlySet<string>
  /** Whether clients get refresh tokens, without asking for `offline_access`. */
  readonly refreshTokens: boolean
  /** Whether authorization requests have to be pushed (RFC 9126). */
  readonly requirePush: boolean
}

const HOUR = 60 * 60

const CLAIMS_BY_SCOPE = {
  openid: ['sub', 'acr', 'amr', 'auth_time'],
  profile: ['name', 'preferred_username', 'locale', 'groups'],
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified'],
}

/**
 * oidc-provider's configuration with its development defaults turned off: PKCE always, `code` only,
 * own keys and pages, short lives, and no consent, since all clients are the company's own. Every
 * helper that would print a notice when left at its default is set.
 */
export function providerConfiguration(state: ProviderState): Configuration {
  return {
    acrValues: state.acrValues,
    adapter: state.store.adapter,
    claims: { ...CLAIMS_BY_SCOPE, openid: [...CLAIMS_BY_SCOPE.openid, ...extraClaims(state)] },
    clientBasedCORS: () => false,
    conformIdTokenClaims: false,
    cookies: {
      // Cookies know no ports: the names must not meet those of other servers on this host.
      names: {
        session: 'example-corp',
        interaction: 'example-corp-sign-in',
        resume: 'example-corp-resume',
      },
      keys: state.cookieKeys,
    },
    discovery: { ui_locales_supported: [...providerLocales] },
    features: {
      claimsParameter: { enabled: true },
      backchannelLogout: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: {
        enabled: true,
        requirePushedAuthorizationRequests: state.requirePush,
      },
      resourceIndicators: { enabled: false },
      rpInitiatedLogout: { enabled: true, logoutSource, postLogoutSuccessSource },
    },
    // The library's own dispatcher refuses loopback, where all of this is.
    fetch: (url, { dispatcher: _dispatcher, ...options } = {}) => fetch(url, options),
    findAccount: (_ctx, subject) => findAccount(state, subject),
    interactions: { policy: loginOnly(), url: (_ctx, { uid }) => `/sign-in/${uid}` },
    issueRefreshToken: async (_ctx, client) =>
      state.refreshTokens && client.grantTypeAllowed('refresh_token'),
    jwks: { keys: [...state.keys] },
    loadExistingGrant,
    pkce: { required: () => true },
    renderError: async (ctx, out) => {
      ctx.type = 'html'
      ctx.body = await render(
        messagePage('That did not work', out.error_description ?? out.error, `(${out.error})`),
      )
    },
    responseTypes: ['code'],
    rotateRefreshToken: true,
    routes: {
      authorization: '/authorize',
      end_session: '/sign-out',
      jwks: '/jwks',
      pushed_authorization_request: '/push',
      token: '/token',
      userinfo: '/userinfo',
    },
    scopes: ['openid'],
    ttl: {
      AccessToken: HOUR / 6,
      AuthorizationCode: 60,
      Grant: 8 * HOUR,
      IdToken: HOUR / 6,
      Interaction: HOUR / 2,
      RefreshToken: 8 * HOUR,
      Session: 8 * HOUR,
    },
  }
}

/** The claims of one person, as OpenID Connect Core §5.1 names them. */
function claimsOf(person: DemoPerson, overrides: ClaimOverrides = {}): AccountClaims {
  const [phoneNumber] = person.phoneNumbers
  return {
    name: person.name,
    preferred_username: person.username,
    groups: [...person.groups],
    email: person.email,
    email_verified: true,
    ...(phoneNumber ? { phone_number: phoneNumber, phone_number_verified: true } : {}),
    ...overrides,
    sub: person.subject,
  }
}

function extraClaims(state: ProviderState): string[] {
  const known = new Set(Object.values(CLAIMS_BY_SCOPE).flat())
  const names = [...state.overrides.values()].flatMap((claims) => Object.keys(claims))
  return [...new Set(names)].filter((name) => !known.has(name))
}

function findAccount(state: ProviderState, subject: string) {
  const person = state.people.find((candidate) => candidate.subject === subject)
  if (!person || state.disabled.has(person.username)) return undefined
  return {
    accountId: subject,
    claims: async () => claimsOf(person, state.overrides.get(person.username)),
  }
}

function loginOnly(): InteractionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base()
  policy.remove('consent')
  return policy
}

async function loadExistingGrant(ctx: KoaContextWithOIDC) {
  const { client, session, provider, requestParamOIDCScopes } = ctx.oidc
  if (!client || !session?.accountId) return undefined
  const grantId = session.grantIdFor(client.clientId)
  const grant =
    (grantId && (await provider.Grant.find(grantId))) ||
    new provider.Grant({ accountId: session.accountId, clientId: client.clientId })
  grant.addOIDCScope([...requestParamOIDCScopes].join(' '))
  await grant.save()
  return grant
}

async function logoutSource(ctx: KoaContextWithOIDC, form: string): Promise<void> {
  // RP-Initiated Logout §2: without a hint that names this very session, the person must be asked.
  const confirmed = ctx.oidc.entities.IdTokenHint?.payload.sub === ctx.oidc.session?.accountId
  ctx.body = await render(logoutPage({ form, confirmed }))
}

async function postLogoutSuccessSource(ctx: KoaContextWithOIDC): Promise<void> {
  ctx.body = await render(messagePage('You are signed out', 'You can close this window.'))
}

async function render(page: ReturnType<typeof messagePage>): Promise<string> {
  return String(await page)
}
