import * as oidc from 'openid-client'
import type { Config, OidcCredential } from '../config/config.ts'
import type { PartCheck } from '../part-check.ts'
import { authorizationParameters } from './authorization-parameters.ts'
import { clientAuthProblem, writeClientAuth } from './client-auth-openid.ts'
import { PushFailedError } from './provider.ts'
import { needsPush, pushRequest } from './provider-openid-push.ts'
import { clientVerdict, pushProblem } from './provider-problem.ts'
import { unsupportedParts } from './unsupported-parts.ts'

/**
 * Redeems a code that the provider never gave, to see what it thinks of the client, and pushes an
 * authorization request, where sign-ins will, which nobody will use.
 */
export async function checkClient(
  found: oidc.Configuration,
  settings: Config['oidc'],
  credential: OidcCredential,
  redirectUri: URL,
): Promise<PartCheck> {
  const metadata = found.serverMetadata()
  const known = `${metadata.issuer} is known`
  const codeVerifier = oidc.randomPKCECodeVerifier()
  const error = await oidc
    .genericGrantRequest(found, 'authorization_code', {
      code: 'stepgate-check',
      redirect_uri: redirectUri.href,
      code_verifier: codeVerifier,
    })
    .then(() => undefined, oauthErrorOf)
  const verdict = clientVerdict(error, credential)
  // Metadata may be wrong; where the provider takes the client all the same, it is.
  const mismatch = verdict.kind === 'known' ? undefined : clientAuthProblem(credential, metadata)
  if (mismatch !== undefined) return { kind: 'problem', detail: `${known}, but ${mismatch}` }
  if (verdict.kind === 'problem') return { ...verdict, detail: `${known}, but ${verdict.detail}` }
  const client =
    verdict.kind === 'known'
      ? `it knows the client${writeClientAuth(credential, metadata)}`
      : 'whether it knows the client is unclear'
  const pushed = needsPush(settings, metadata)
  if (pushed) {
    const [state, nonce] = [oidc.randomState(), oidc.randomNonce()]
    const challenge = await oidc.calculatePKCECodeChallenge(codeVerifier)
    const request = { redirectUri, state, nonce, codeVerifier }
    const parameters = authorizationParameters(settings, request, challenge)
    const refusal = await pushRequest(found, parameters).then(
      () => undefined,
      (failure: unknown) => failure,
    )
    if (refusal instanceof PushFailedError) {
      return { kind: 'problem', detail: `${known}, and ${client}, but ${pushProblem(refusal)}` }
    }
    if (refusal !== undefined) throw refusal
  }
  const notes = [
    `${known}, and ${client}`,
    ...(pushed ? ['it took a pushed authorization request'] : []),
    ...unsupportedParts(settings.request, metadata),
  ]
  return { kind: 'ok', detail: notes.join('; ') }
}

function oauthErrorOf(error: unknown): string | undefined {
  if (error instanceof oidc.ResponseBodyError) return error.error
  if (error instanceof oidc.WWWAuthenticateChallengeError) {
    return error.status === 401 ? 'invalid_client' : undefined
  }
  return undefined
}
