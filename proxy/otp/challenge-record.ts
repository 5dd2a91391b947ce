import type { Sealer } from '../session/sealed.ts'
import type { Session } from '../session/session.ts'
import { keyOf } from '../store/key-of.ts'
import type { Store } from '../store/store.ts'
import { type Challenge, REMEMBERED, withoutAnswer } from './challenge.ts'

/** What the code steps work with. */
export type OtpParts = { readonly store: Store; readonly sealer: Sealer }

/** A challenge as it stands in the store; `sealed` is what a swap has to find there. */
export type StoredChallenge = {
  readonly challenge: Challenge
  readonly sealed: string
  /** False once the person may have been sent a newer code in another session. */
  readonly newest: boolean
  /** The id that stood as the newest when it was read. */
  readonly newestSeen: string | undefined
}

const challengeKey = (subject: string, family: string) => keyOf('challenge', subject, family)
const newestKey = (subject: string) => keyOf('newest-challenge', subject)

/** This session's challenge, ended or not; `before` spares unsealing the same again. Throws `StoreUnavailableError`. */
export async function readChallenge(
  { store, sealer }: OtpParts,
  session: Pick<Session, 'subject' | 'family'>,
  now: number,
  before?: StoredChallenge,
): Promise<StoredChallenge | undefined> {
  const sealed = await store.get(challengeKey(session.subject, session.family), now)
  if (sealed === undefined) return undefined
  const unsealed =
    sealed === before?.sealed
      ? before.challenge
      : ((await sealer.unseal('challenge', sealed, now)) as Challenge | undefined)
  if (unsealed === undefined || !isOf(unsealed, session)) return undefined
  // One that was sealed by the version before lacks these, and is an SMS.
  const known: Challenge = { ...{ sends: [], channel: 'sms', strike: 0 }, ...unsealed }
  const newestSeen = await newestOf(store, session.subject, now)
  return {
    challenge: withoutAnswer(known, now),
    sealed,
    // The mark outlives its code: where there is none, no code that ever was the newest is alive.
    newest: newestSeen === undefined || newestSeen === known.id || newestSeen === known.over,
    newestSeen,
  }
}

/** The id of the newest code that may have gone out to this person. */
export function newestOf(store: Store, subject: string, now: number): Promise<string | undefined> {
  return store.get(newestKey(subject), now)
}

function isOf(
  { subject, family, purpose }: Challenge,
  session: Pick<Session, 'subject' | 'family'>,
): boolean {
  return subject === session.subject && family === session.family && purpose === 'step-up'
}

/** Writes if the store still holds `expected`; undefined when somebody else was first. */
export async function writeChallenge(
  { store, sealer }: OtpParts,
  challenge: Challenge,
  expected: string | undefined,
  now: number,
): Promise<StoredChallenge | undefined> {
  const until = challenge.expiresAt + REMEMBERED
  const sealed = await sealer.seal('challenge', challenge, until, now)
  const key = challengeKey(challenge.subject, challenge.family)
  const swapped = await store.swap(key, expected, sealed, until, now)
  return swapped.kind === 'stored'
    ? { challenge, sealed, newest: true, newestSeen: challenge.over }
    : undefined
}

/** From here on only this challenge of the person counts, and what is made over it. */
export async function makeNewest({ store }: OtpParts, challenge: Challenge): Promise<void> {
  await store.put(newestKey(challenge.subject), challenge.id, challenge.expiresAt + REMEMBERED)
}

/**
 * Makes a challenge the newest that counts only because no other is yet: as long as Twilio has not
 * answered, several may. False when another has been faster, and this one counts no more.
 */
export async function claimNewest(
  { store }: OtpParts,
  { challenge, newestSeen }: StoredChallenge,
  now: number,
): Promise<boolean> {
  const { id, subject, expiresAt } = challenge
  if (newestSeen === id) return true
  const until = expiresAt + REMEMBERED
  const swapped = await store.swap(newestKey(subject), newestSeen, id, until, now)
  return swapped.kind === 'stored' || swapped.value === id
}

/**
 * Removes exactly this challenge, as it was read; false when it has been used, replaced or written
 * again meanwhile.
 */
export async function spendChallenge(
  { store }: OtpParts,
  { challenge, sealed }: StoredChallenge,
  now: number,
): Promise<boolean> {
  const key = challengeKey(challenge.subject, challenge.family)
  // A value that has expired reads as absent: a removal that compares first.
  return (await store.swap(key, sealed, '', now, now)).kind === 'stored'
}
