import { timingSafeEqual } from 'node:crypto'
import type { Session } from '../session/session.ts'
import type { Channel } from '../sms/sender.ts'
import { keyOf } from '../store/key-of.ts'
import { StoreUnavailableError, type Strike } from '../store/store.ts'
import { lastMessage, mayBeKnown, REMEMBERED, readCode } from './challenge.ts'
import {
  claimNewest,
  type OtpParts,
  readChallenge,
  type StoredChallenge,
  spendChallenge,
} from './challenge-record.ts'
import { type CodeSending, type LimitParts, takeBackVerified } from './count-sending.ts'
import { attemptWaits, FAILURE_WAITS, FAILURES_REMEMBERED, LOCK_AT } from './limits.ts'

/** What became of a guess. Only `wrong` and `verified` were compared. Times in epoch ms. */
export type Verified =
  | {
      readonly kind: 'verified'
      readonly channel: Channel
      readonly secondsSinceSend: number
      /** The store did not take all that follows from it. */
      readonly notNoted?: StoreUnavailableError
    }
  /** `lock`: this failure was one too many, and a wait begins. */
  | { readonly kind: 'wrong'; readonly attemptsLeft: number; readonly lock?: Locked }
  | { readonly kind: 'not-a-code' }
  | { readonly kind: 'none' }
  | { readonly kind: 'expired' }
  | { readonly kind: 'used-up' }
  | { readonly kind: 'superseded' }
  | Locked

/** A person who has to wait: `locked` until an administrator clears it or a day passes. */
export type Locked = {
  readonly kind: 'locked'
  readonly locked: boolean
  readonly until: number
}

const attemptsKey = (challengeId: string) => keyOf('attempts', challengeId)
/** Where a person's failures are counted. */
export const failuresKey = (subject: string) => keyOf('failures', subject)

/** Whether this person has to wait before anything is sent or compared; counts nothing. */
export async function readLock(
  { store }: Pick<OtpParts, 'store'>,
  subject: string,
  now: number,
): Promise<Locked | undefined> {
  const strike = await store.strikes(failuresKey(subject), now)
  return strike.kind === 'waiting' ? lockOf(strike) : undefined
}

/** Whether this challenge's tries are used up; counts nothing. */
export async function isUsedUp(
  { store }: OtpParts,
  challengeId: string,
  now: number,
): Promise<boolean> {
  return (await store.strikes(attemptsKey(challengeId), now)).kind === 'waiting'
}

/** Whether this challenge's code would still be compared; counts nothing. */
export async function isLive(
  parts: OtpParts,
  { challenge, newest }: StoredChallenge,
  now: number,
): Promise<boolean> {
  return newest && now < challenge.expiresAt && !(await isUsedUp(parts, challenge.id, now))
}

/**
 * Compares what was typed with the session's challenge. The try is counted on the challenge and on
 * the person, atomically, before the comparison; of several right answers at once one is verified.
 * Throws `StoreUnavailableError`.
 */
export async function verifyCode(
  parts: OtpParts & LimitParts & { readonly attempts: number },
  session: Session,
  input: string,
  address: string,
  now: number,
): Promise<Verified> {
  const { store } = parts
  const lock = await readLock(parts, session.subject, now)
  if (lock !== undefined) return lock
  const stored = await readChallenge(parts, session, now)
  if (stored === undefined) return { kind: 'none' }
  const { challenge } = stored
  if (!stored.newest) return { kind: 'superseded' }
  if (!mayBeKnown(challenge)) return { kind: 'none' }
  if (now >= challenge.expiresAt) return { kind: 'expired' }
  const guess = readCode(input, challenge.code.length)
  if (guess === undefined) return { kind: 'not-a-code' }
  // Of several codes that may all be the newest only one may be guessed at.
  if (!(await claimNewest(parts, stored, now))) return { kind: 'superseded' }

  const waits = attemptWaits(parts.attempts)
  const tries = await store.strike(
    attemptsKey(challenge.id),
    waits,
    challenge.expiresAt + REMEMBERED,
    now,
  )
  if (tries.kind === 'waiting') return { kind: 'used-up' }
  const remembered = now + FAILURES_REMEMBERED
  const failures = await store.strike(failuresKey(session.subject), FAILURE_WAITS, remembered, now)
  if (failures.kind === 'waiting') return lockOf(failures)

  if (!timingSafeEqual(Buffer.from(guess), Buffer.from(challenge.code))) {
    const lock = failures.until > now ? lockOf(failures) : undefined
    const attemptsLeft = parts.attempts - tries.count
    return { kind: 'wrong', attemptsLeft, ...(lock !== undefined && { lock }) }
  }
  if (!(await spend(parts, session, stored, now))) return { kind: 'none' }
  const notNoted = await noteVerified(parts, { ...challenge, address }, now)
  const { at } = lastMessage(challenge) ?? challenge.delivery
  return {
    kind: 'verified',
    channel: challenge.channel,
    secondsSinceSend: Math.round((now - at) / 1000),
    ...(notNoted !== undefined && { notNoted }),
  }
}

/** The code is spent: whatever the store can't take any more, the person is through. */
async function noteVerified(
  parts: LimitParts,
  sending: CodeSending,
  now: number,
): Promise<StoreUnavailableError | undefined> {
  try {
    await parts.store.remove(failuresKey(sending.subject))
    await takeBackVerified(parts, sending, now)
    return undefined
  } catch (error) {
    if (error instanceof StoreUnavailableError) return error
    throw error
  }
}

/** Uses the code up; true for the one caller that did, and never for a code that was replaced. */
async function spend(
  parts: OtpParts,
  session: Session,
  compared: StoredChallenge,
  now: number,
): Promise<boolean> {
  let stored: StoredChallenge | undefined = compared
  while (stored?.challenge.id === compared.challenge.id) {
    if (await spendChallenge(parts, stored, now)) return true
    // A message that was sent meanwhile has written its delivery down.
    stored = await readChallenge(parts, session, now)
  }
  return false
}

function lockOf(strike: Strike): Locked {
  return { kind: 'locked', locked: strike.count >= LOCK_AT, until: strike.until }
}
