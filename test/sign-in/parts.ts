import type { Config } from '../../proxy/config/config.ts'
import type { Log } from '../../proxy/log.ts'
import type { Random } from '../../proxy/random.ts'
import { createKeptGroups } from '../../proxy/session/kept-groups.ts'
import { createSealer } from '../../proxy/session/sealed.ts'
import type {
  AuthorizationRequest,
  ExpectedResponse,
  Provider,
  Redeemed,
} from '../../proxy/sign-in/provider.ts'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'

export const NOW = 1_700_000_000_000
export const SECOND = 1000
export const HOUR = 60 * 60 * SECOND

/** What sign-in reads of the configuration. */
export const CONFIG = {
  session: { idle: HOUR, lifetime: 12 * HOUR, recheck: HOUR / 12, recheckGrace: HOUR },
  smsCountries: ['DE'],
  oidc: {
    issuer: new URL('https://login.example.com'),
    clientId: 'stepgate',
    scopes: ['openid', 'profile', 'email'],
    usernameClaim: 'preferred_username',
    groupsClaim: 'groups',
    trustAcr: ['mfa'],
    request: { acrValues: [], prompt: [], loginHint: 'username', parameters: [], par: 'auto' },
  },
} as const

/** Ids that count: 43 characters, as real ones have. */
export function countingRandom(): Random {
  let count = 0
  return {
    id: () => `id-${++count}`.padEnd(43, '_'),
    digits: (length) => '7'.repeat(length),
  }
}

/** A provider that answers as told, and remembers what it was asked. */
export function fakeProvider(redeemed: Redeemed = signedIn()) {
  const asked: AuthorizationRequest[] = []
  const exchanged: { callback: URL; expected: ExpectedResponse }[] = []
  const ended: { idToken: string | undefined; returnTo: URL; state: string | undefined }[] = []
  const provider: Provider = {
    isKnown: () => true,
    start() {},
    check: async () => ({ kind: 'ok', detail: '' }),
    async authorizationUrl(request) {
      asked.push(request)
      return new URL(`https://login.example.com/authorize?state=${request.state}`)
    },
    pushes: () => false,
    async redeem(callback, expected) {
      exchanged.push({ callback, expected })
      return redeemed
    },
    async refresh() {
      return { kind: 'unknown', code: 'fake', unsure: false }
    },
    endSessionUrl(idToken, returnTo, { state } = {}) {
      ended.push({ idToken, returnTo, state })
      return new URL('https://login.example.com/end')
    },
    canSignOut: () => true,
    tokenKeys: () => undefined,
    introspect: async () => ({ kind: 'unavailable', code: 'fake' }),
    readLogoutToken: async () => ({ kind: 'invalid', code: 'fake' }),
    close() {},
  }
  return { provider, asked, exchanged, ended }
}

/** The answer of a provider that lets alice through. */
export function signedIn(claims: Record<string, unknown> = {}): Redeemed {
  return {
    kind: 'signed-in',
    claims: { sub: 'subject-1', preferred_username: 'alice', amr: ['pwd'], ...claims },
    idToken: 'header.payload.signature',
  }
}

/** Everything that starting and finishing needs, with a real sealer and a real store. */
export function signInParts(provider: Provider) {
  const store = createMemoryStore()
  const sealer = createSealer(['a secret for the tests of signing in'])
  return {
    provider,
    sealer,
    keptGroups: createKeptGroups({ store, sealer, lifetime: CONFIG.session.lifetime }),
    random: countingRandom(),
    redirectUri: new URL('https://app.example.com/_stepgate/callback'),
    store,
    config: CONFIG as unknown as Config,
  }
}

/** A log that keeps its lines. */
export function keptLog(): { log: Log; lines: { message: string; fields: object }[] } {
  const lines: { message: string; fields: object }[] = []
  const keep = (message: string, fields: object = {}) => void lines.push({ message, fields })
  return {
    lines,
    log: {
      audit: keep,
      access: () => {},
      debug: keep,
      info: keep,
      warn: keep,
      error: keep,
      flush: async () => {},
    },
  }
}
