import { keyOf } from '../store/key-of.ts'
import type { TokenParts } from './provider-tokens.ts'
import type { Session } from './session.ts'

/** The session that began with a provider's session. */
export type BegunSession = { readonly subject: string; readonly family: string }

const TYP = 'provider-session'

const sidKey = (sid: string) => keyOf(TYP, sid)

/**
 * Notes, sealed, that a session began with the provider's `sid`: of one that is not known nothing is
 * written down when somebody says that it has ended. Throws `StoreUnavailableError`.
 */
export async function noteBegun(
  { store, sealer }: TokenParts,
  { sid, subject, family }: Session,
  expiresAt: number,
  now: number,
): Promise<void> {
  if (sid === undefined) return
  const sealed = await sealer.seal(TYP, { subject, family }, expiresAt, now)
  await store.put(sidKey(sid), sealed, expiresAt)
}

/** Whether a session that began with `sid` may be alive. Throws `StoreUnavailableError`. */
export async function hasBegun({ store }: TokenParts, sid: string, now: number): Promise<boolean> {
  return (await store.get(sidKey(sid), now)) !== undefined
}

/** The session that began with `sid`, for who ends it: each is told once. Throws `StoreUnavailableError`. */
export async function takeBegun(
  { store, sealer }: TokenParts,
  sid: string,
  now: number,
): Promise<BegunSession | undefined> {
  const sealed = await store.take(sidKey(sid), now)
  if (sealed === undefined) return undefined
  return (await sealer.unseal(TYP, sealed, now)) as BegunSession | undefined
}
