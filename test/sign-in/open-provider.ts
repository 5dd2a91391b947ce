import { after, afterEach, before } from 'node:test'
import type { AuthorizationSettings, OidcCredential } from '../../proxy/config/config.ts'
import type { Provider } from '../../proxy/sign-in/provider.ts'
import { createProvider } from '../../proxy/sign-in/provider-openid.ts'
import { createClient } from '../support/cookie-jar.ts'
import type { Answer, Misbehaviour } from '../support/evil-behaviour.ts'
import { type EvilProvider, startEvilProvider } from '../support/evil-provider.ts'
import { testClient } from '../support/relying-party.ts'
import { callbackFromProvider } from '../support/sign-in.ts'
import { CONFIG, keptLog } from './parts.ts'

export const REDIRECT_URI = new URL('http://127.0.0.1:9/callback')
export const SIGNED_OUT = new URL('http://127.0.0.1:9/signed-out')
/** In ms; only for what never answers. */
export const SHORT = 150

/** Our settings at this provider. */
export function settingsFor(
  issuer: URL,
  scopes: readonly string[] = ['openid', 'profile', 'email'],
) {
  return { ...CONFIG.oidc, issuer, clientId: testClient.client_id, scopes }
}

/** The provider through our adapter, and what it logs. */
export function open(
  issuer: URL,
  {
    scopes,
    request,
    credential = testClient.client_secret,
    ...options
  }: {
    timeout?: number
    scopes?: readonly string[]
    elapsed?: () => number
    wantsRefresh?: boolean
    request?: Partial<AuthorizationSettings>
    credential?: OidcCredential
  } = {},
) {
  const { log, lines } = keptLog()
  const usual = settingsFor(issuer, scopes)
  const settings = { ...usual, request: { ...usual.request, ...request } }
  return { lines, provider: createProvider(settings, credential, log, options) }
}

/** Turns the event loop until it is so; the test's own limit ends a wait in vain. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** The same, once its discovery is through. */
export async function known(provider: Provider): Promise<Provider> {
  provider.start()
  await until(provider.isKnown)
  return provider
}

export const EXPECTED = { state: 'the-state', nonce: 'the-nonce', codeVerifier: 'v'.repeat(43) }

/** Where a browser would be sent. */
export function authorization(provider: Provider): Promise<URL> {
  return provider.authorizationUrl({ redirectUri: REDIRECT_URI, ...EXPECTED })
}

/** Metadata with some members changed. */
export function metadata(changes: Record<string, unknown>): Misbehaviour {
  return { alterDiscovery: (document) => Object.assign(document, changes) }
}

/** Something else than metadata. */
export function discovery(answer: Answer): Misbehaviour {
  return { answers: { discovery: answer } }
}

/** This text as JSON. */
export function json(body: string): Answer {
  return { status: 200, headers: { 'content-type': 'application/json' }, body }
}

/** An ID token that makes userinfo needed. */
export function noGroups(): Misbehaviour {
  return { alterIdToken: (claims) => delete claims.groups }
}

/** A provider that lies, for the tests of one suite: honest again after each, with our adapters closed. */
export function withEvilProvider() {
  let evil: EvilProvider
  const opened: Provider[] = []
  before(async () => {
    evil = await startEvilProvider({
      clientId: testClient.client_id,
      clientSecret: testClient.client_secret,
    })
  })
  after(() => evil.close())
  afterEach(() => {
    evil.behave()
    for (const provider of opened.splice(0)) provider.close()
  })
  return {
    evil: () => evil,
    /** What is closed after the test; for an adapter that was opened otherwise. */
    opened,
    openEvil(options?: Parameters<typeof open>[1]) {
      const all = open(evil.issuer, options)
      opened.push(all.provider)
      return all
    },
    async redeemFrom(provider: Provider) {
      const url = await authorization(provider)
      return provider.redeem(await callbackFromProvider(createClient(), url, 'alice'), EXPECTED)
    },
  }
}
