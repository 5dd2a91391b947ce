import { randomBytes, randomUUID } from 'node:crypto'
import type { EventEmitter } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'
import type { JWK } from 'oidc-provider'
import type { DemoPerson } from './people.ts'
import {
  type ClaimOverrides,
  type ProviderState,
  providerConfiguration,
} from './provider-configuration.ts'
import { Provider } from './provider-library.ts'
import { messagePage, providerScript, providerStyles } from './provider-pages.ts'
import { type Authentication, answerSignIn } from './provider-sign-in.ts'
import { createProviderStore, type ProviderClient } from './provider-store.ts'

/** The provider's endpoints, by path. */
export type ProviderPath =
  | '/.well-known/openid-configuration'
  | '/authorize'
  | '/jwks'
  | '/push'
  | '/sign-out'
  | '/token'
  | '/userinfo'

/** How a provider is started. */
export type ProviderOptions = {
  /** 0 takes a free one. */
  readonly port: number
  readonly host?: string
  readonly clients: readonly ProviderClient[]
  readonly people: readonly DemoPerson[]
  /** What a sign-in proves; by default the password alone, without an acr. */
  readonly authentication?: Authentication
  /** A sentence below the sign-in form, such as who can sign in to a demo. */
  readonly hint?: string
  /** Published as `acr_values_supported`. */
  readonly acrValues?: readonly string[]
  /** Whether authorization requests have to be pushed (RFC 9126); without, they may be. */
  readonly requirePush?: boolean
  /** Hears of what went wrong inside the provider; by default it is written to stderr. */
  readonly onError?: (error: Error) => void
}

/** A running provider, and what tests may do to it. */
export type DemoProvider = {
  readonly issuer: URL
  /** Registers a client, or replaces the one of the same `client_id`. */
  putClient(client: ProviderClient): void
  /**
   * Changes one person's claims from now on; `undefined` takes a claim away. Replaces what an
   * earlier call said. `sub` stays.
   */
  setClaims(username: string, claims: ClaimOverrides): void
  /** Changes what sign-ins prove from now on; sessions at the provider keep what they have. */
  setAuthentication(authentication: Authentication): void
  /** Disables an account, or enables it again; sessions at the provider stay. */
  setDisabled(username: string, disabled: boolean): void
  /** Whether clients get refresh tokens from now on; by default they do, and each works once. */
  setRefreshTokens(given: boolean): void
  /** Signs with a new key; the one before stays published, so that its ID tokens still verify. */
  rotateKeys(): Promise<void>
  /** From now on every request is answered 503, never, or as ever, but the answer is lost. */
  pause(how?: 'unavailable' | 'hang' | 'lose'): void
  resume(): void
  /** How many requests an endpoint has had, those that `pause` left unanswered too. */
  requestCount(path: ProviderPath): number
  close(): Promise<void>
}

/** Starts Example Corp's OpenID provider: oidc-provider with sign-in pages of its own. */
export async function startProvider(options: ProviderOptions): Promise<DemoProvider> {
  const store = createProviderStore()
  for (const client of options.clients) store.putClient(client)
  const overrides = new Map<string, ClaimOverrides>()
  const cookieKeys = [randomBytes(32).toString('hex')]
  const onError = options.onError ?? ((error) => process.stderr.write(`provider: ${error.stack}\n`))
  const counts: Record<ProviderPath, number> = {
    '/.well-known/openid-configuration': 0,
    '/authorize': 0,
    '/jwks': 0,
    '/push': 0,
    '/sign-out': 0,
    '/token': 0,
    '/userinfo': 0,
  }
  let keys = [await createKey()]
  let authentication = options.authentication ?? { amr: ['pwd'] }
  const disabled = new Set<string>()
  let refreshTokens = true
  let answering: 'normally' | 'unavailable' | 'hang' | 'lose' = 'normally'

  const server = createServer((request, response) => {
    const path = URL.parse(request.url ?? '', issuer)?.pathname ?? ''
    if (Object.hasOwn(counts, path)) counts[path as ProviderPath] += 1
    if (answering === 'hang') return
    if (answering === 'lose') {
      response.end = () => response.destroy()
    }
    if (answering === 'unavailable') {
      response.writeHead(503, { 'content-type': 'text/plain', 'retry-after': '5' })
      response.end('The provider is down for maintenance\n')
      return
    }
    answer(path, request, response).catch((error: Error) => {
      onError(error)
      if (!response.headersSent) response.writeHead(500)
      response.end()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, options.host ?? '127.0.0.1', resolve)
  })
  const issuer = new URL(`http://${hostOf(server.address() as AddressInfo)}`)
  let current = build()

  function build() {
    const state: ProviderState = {
      people: options.people,
      store,
      cookieKeys,
      keys,
      overrides,
      acrValues: options.acrValues ?? ['pwd', 'mfa'],
      disabled,
      refreshTokens,
      requirePush: options.requirePush ?? false,
    }
    const provider = new Provider(issuer.origin, providerConfiguration(state))
    // With no listener of ours Koa prints to the console; its types forget this event.
    const emitter: EventEmitter = provider
    emitter.on('error', onError)
    provider.on('server_error', (_ctx, error) => onError(error))
    return { provider, callback: provider.callback() }
  }

  async function answer(path: string, request: IncomingMessage, response: ServerResponse) {
    const { provider, callback } = current
    if (path.startsWith('/sign-in/')) {
      const { people, hint } = options
      return answerSignIn(provider, { people, disabled, authentication, hint }, request, response)
    }
    const file = await fileAt(path)
    if (!file) return callback(request, response)
    response.writeHead(200, { 'content-type': file.type }).end(file.body)
  }

  return {
    issuer,
    putClient: store.putClient,
    setClaims(username, claims) {
      overrides.set(username, claims)
      current = build()
    },
    setAuthentication(changed) {
      authentication = changed
    },
    setDisabled(username, isDisabled) {
      if (isDisabled) disabled.add(username)
      else disabled.delete(username)
    },
    setRefreshTokens(given) {
      refreshTokens = given
      current = build()
    },
    async rotateKeys() {
      keys = [await createKey(), ...keys.slice(0, 1)]
      current = build()
    },
    pause(how = 'unavailable') {
      answering = how
    },
    resume() {
      answering = 'normally'
    },
    requestCount: (path) => counts[path],
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

async function createKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  return { ...(await exportJWK(privateKey)), kid: randomUUID(), alg: 'RS256', use: 'sig' }
}

function hostOf({ address, family, port }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`
}

async function fileAt(path: string): Promise<{ type: string; body: string } | undefined> {
  if (path === '/provider.css') return { type: 'text/css; charset=utf-8', body: providerStyles }
  if (path === '/provider.js') {
    return { type: 'text/javascript; charset=utf-8', body: providerScript }
  }
  if (path !== '/') return undefined
  const page = messagePage(
    'Example Corp sign-in',
    'This is the OpenID provider of the demo. Open the application to be sent here.',
  )
  return { type: 'text/html; charset=utf-8', body: String(await page) }
}
