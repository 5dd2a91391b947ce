import type { LogFields } from '../log.ts'
import { endOfSubject } from '../session/ended-sessions.ts'
import { endBegun } from '../session/provider-sessions.ts'
import { dropTokens } from '../session/provider-tokens.ts'
import type { Revocations } from '../session/revocations.ts'
import type { Sealer } from '../session/sealed.ts'
import type { Session } from '../session/session.ts'
import { ifUnavailable, type Store } from '../store/store.ts'
import type { Provider } from './provider.ts'

/** How somebody leaves, and what the page at the end says. */
export type SignOut = {
  readonly session: Session
  /** Whether all sessions of the person end that began before. */
  readonly everywhere: boolean
  /** Our page for who has signed out. */
  readonly signedOut: URL
  /** Epoch ms; when no session of the person that is alive now can be alive any more. */
  readonly until: number
  readonly fields?: LogFields
}

/** What travels sealed in `state` to the page at the end, if there is anything to say. */
export type SignedOut = {
  /** `later`: elsewhere not before the store answers. */
  readonly everywhere?: 'done' | 'later'
  readonly uiLocales?: string
}

// In ms; the provider may ask, and people may let that wait.
const STATE_LIFE = 60 * 60_000
const TYP = 'signed-out'

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
  { session, everywhere, signedOut, until, fields }: SignOut,
  now: number,
): Promise<URL> {
  const { revocations } = parts
  // At once: each takes its whole time where the store does not answer.
  const [isWritten, , tokens] = await Promise.all([
    everywhere &&
      revocations.revoke(endOfSubject(session.subject, now, 'everywhere'), until, fields),
    revocations.revoke(session.family, until, fields),
    dropTokens(parts, session.family, now).catch(ifUnavailable),
    // The provider may tell us of the same end, which is none any more then.
    session.sid !== undefined && endBegun(parts, session.sid, until, now).catch(ifUnavailable),
  ])
  const { locale: uiLocales } = session
  const said: SignedOut = {
    ...(everywhere && { everywhere: isWritten ? 'done' : 'later' }),
    ...(uiLocales !== undefined && { uiLocales }),
  }
  const state = everywhere || uiLocales !== undefined ? await sealState(parts, said, now) : {}
  const end = parts.provider.endSessionUrl(tokens?.idToken, signedOut, { ...state, uiLocales })
  if (end !== undefined) return end
  const here = new URL(signedOut)
  here.search = `${new URLSearchParams(state)}`
  return here
}

async function sealState({ sealer }: { readonly sealer: Sealer }, said: SignedOut, now: number) {
  return { state: await sealer.seal(TYP, said, now + STATE_LIFE, now) }
}

/** What a `state` that came back says; nothing where it is none of ours. */
export async function readSignedOut(
  sealer: Sealer,
  state: string | null,
  now: number,
): Promise<SignedOut> {
  return state === null ? {} : (((await sealer.unseal(TYP, state, now)) as SignedOut) ?? {})
}
