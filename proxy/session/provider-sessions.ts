import { keyOf } from '../store/key-of.ts'
import type { TokenParts } from './provider-tokens.ts'
import type { Session } from './session.ts'

/** The session that began with a provider's session. */
export type BegunSession = { readonly subject: string; readonly family: string }

type Note = BegunSession & { readonly ended?: true }

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
export async function hasBegun(parts: TokenParts, sid: string, now: number): Promise<boolean> {
  const known = await readNote(parts, sid, now)
  return known !== undefined && known.note.ended !== true
}

/**
 * The session that began with `sid`, for who ends it: each is told once, and `ended` from then on.
 * Throws `StoreUnavailableError`.
 */
export async function endBegun(
  parts: TokenParts,
  sid: string,
  expiresAt: number,
  now: number,
): Promise<BegunSession | 'ended' | 'unknown'> {
  const known = await readNote(parts, sid, now)
  if (known === undefined) return 'unknown'
  const { sealed, note } = known
  if (note.ended) return 'ended'
  const marked = await parts.sealer.seal(TYP, { ...note, ended: true }, expiresAt, now)
  const swapped = await parts.store.swap(sidKey(sid), sealed, marked, expiresAt, now)
  return swapped.kind === 'stored' ? note : 'ended'
}

async function readNote({ store, sealer }: TokenParts, sid: string, now: number) {
  const sealed = await store.get(sidKey(sid), now)
  if (sealed === undefined) return undefined
  const note = (await sealer.unseal(TYP, sealed, now)) as Note | undefined
  return note && { sealed, note }
}
