import type { LogFields } from '../log.ts'
import { dropTokens } from '../session/provider-tokens.ts'
import type { Revocations } from '../session/revocations.ts'
import type { Sealer } from '../session/sealed.ts'
import type { Session } from '../session/session.ts'
import { type Store, StoreUnavailableError } from '../store/store.ts'
import type { Provider } from './provider.ts'

/**
 * Ends the session in every process and says where to send the browser: the provider's
 * `end_session_endpoint` (OpenID Connect RP-Initiated Logout §2) or `signedOut`. While the store
 * does not answer, the session is dead in this process, the provider gets no hint, and the log
 * has `fields`.
 */
export async function signOut(
  parts: {
    readonly store: Store
    readonly sealer: Sealer
    readonly revocations: Revocations
    readonly provider: Provider
  },
  session: Session,
  lifetime: number,
  signedOut: URL,
  now: number,
  fields?: LogFields,
): Promise<URL> {
  // At once: each takes its whole time where the store does not answer.
  const [, tokens] = await Promise.all([
    parts.revocations.revoke(session.family, session.createdAt + lifetime, fields),
    dropTokens(parts, session.family, now).catch(nothing),
  ])
  return parts.provider.endSessionUrl(tokens?.idToken, signedOut) ?? signedOut
}

function nothing(error: unknown): undefined {
  if (!(error instanceof StoreUnavailableError)) throw error
}
