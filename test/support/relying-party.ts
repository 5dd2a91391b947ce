import * as openid from 'openid-client'

const REDIRECT_URI = 'http://127.0.0.1:9/callback'

/** A client registration for tests; nothing listens at its addresses. */
export const testClient = {
  client_id: 'test-client',
  client_secret: 'test-client-secret-of-thirty-two-bytes',
  redirect_uris: [REDIRECT_URI],
  post_logout_redirect_uris: ['http://127.0.0.1:9/signed-out'],
} as const

/** What must come back to one authorization request. */
export type Expectation = {
  readonly pkceCodeVerifier: string
  readonly expectedState: string
  readonly expectedNonce: string
}

/** A strict OpenID client, which proves that providers of these tests do what they claim. */
export type RelyingParty = {
  readonly configuration: openid.Configuration
  /** An authorization request, and what must come back. */
  begin(parameters?: Record<string, string>): Promise<{ url: URL; expected: Expectation }>
  /** Exchanges the code and verifies everything, the ID token's signature too. */
  finish(
    callback: URL,
    expected: Expectation,
  ): Promise<openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers>
}

/** Discovers the provider and stands ready as `testClient`. */
export async function createRelyingParty(issuer: URL): Promise<RelyingParty> {
  const configuration = await openid.discovery(
    issuer,
    testClient.client_id,
    testClient.client_secret,
    undefined,
    { execute: [openid.allowInsecureRequests, openid.enableNonRepudiationChecks], timeout: 5 },
  )
  return {
    configuration,
    async begin(parameters = {}) {
      const expected = {
        pkceCodeVerifier: openid.randomPKCECodeVerifier(),
        expectedState: openid.randomState(),
        expectedNonce: openid.randomNonce(),
      }
      const url = openid.buildAuthorizationUrl(configuration, {
        redirect_uri: REDIRECT_URI,
        scope: 'openid profile email phone',
        code_challenge: await openid.calculatePKCECodeChallenge(expected.pkceCodeVerifier),
        code_challenge_method: 'S256',
        state: expected.expectedState,
        nonce: expected.expectedNonce,
        ...parameters,
      })
      return { url, expected }
    },
    finish: (callback, expected) =>
      openid.authorizationCodeGrant(configuration, callback, {
        ...expected,
        idTokenExpected: true,
      }),
  }
}
