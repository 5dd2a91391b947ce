import type { Random } from '../random.ts'
import type { Session } from '../session/session.ts'
import { type Challenge, mayBeKnown } from './challenge.ts'
import {
  newestOf,
  readChallenge,
  type StoredChallenge,
  spendChallenge,
  writeChallenge,
} from './challenge-record.ts'
import { isKnown } from './known-numbers.ts'
import { resendAt, type SendParts, type SendRefused, trySend, writeTried } from './send-code.ts'
import { isLive } from './verify-code.ts'

/** The number that the person chose, and how many there were. */
export type ChosenNumber = { readonly phone: string; readonly choices: number }

/**
 * `sent`: by this call, with its outcome in `delivery`. `present`: another call was first. `kept`:
 * nothing went out by this call, and the code before goes on living; so it does when refused.
 */
export type Issued =
  | { readonly kind: 'sent'; readonly challenge: Challenge }
  | { readonly kind: 'present'; readonly challenge: Challenge }
  | {
      readonly kind: 'kept'
      readonly unsent: Challenge
      readonly previous: StoredChallenge
    }
  | SendRefused

/**
 * Makes a new code in place of `previous` and sends it. Of several calls at once, from parallel
 * tabs or a double click, one sends and the others see its challenge.
 * Throws `StoreUnavailableError`.
 */
export async function issueChallenge(
  parts: SendParts & { readonly random: Random; readonly length: number; readonly ttl: number },
  session: Session,
  number: ChosenNumber,
  previous: StoredChallenge | undefined,
  now: number,
): Promise<Issued> {
  const { store } = parts
  const [known, over] = await Promise.all([
    isKnown(store, session.subject, number.phone, now),
    newestOf(store, session.subject, now),
  ])
  const challenge: Challenge = {
    id: parts.random.id(),
    subject: session.subject,
    family: session.family,
    purpose: 'step-up',
    phone: number.phone,
    unknown: !known,
    choices: number.choices,
    code: parts.random.digits(parts.length),
    createdAt: now,
    expiresAt: now + parts.ttl,
    ...(over !== undefined && { over }),
    sends: [],
    channel: parts.channel,
    delivery: { kind: 'sending', at: now, channel: parts.channel },
    strike: 0,
    arrived: false,
  }
  const until = await resendAt(parts, challenge, now)
  if (until > now) return presentOr({ kind: 'wait', until }, parts, session, previous, now)
  const stored = await writeChallenge(parts, challenge, previous?.sealed, now)
  if (stored === undefined) {
    return presentOr({ kind: 'wait', until: now + 1000 }, parts, session, previous, now)
  }
  const tried = await trySend(parts, challenge, now)
  // There was no wait before it was written, so that another call is sending this very code.
  if (tried.kind === 'wait') return presentOr(tried, parts, session, previous, now)
  if (tried.kind !== 'tried') {
    if (previous === undefined) await spendChallenge(parts, stored, now)
    else await writeChallenge(parts, previous.challenge, stored.sealed, now)
    return tried
  }
  if (!tried.went && previous !== undefined && (await isInHand(parts, previous, now))) {
    await writeChallenge(parts, previous.challenge, stored.sealed, now)
    return { kind: 'kept', unsent: tried.challenge, previous }
  }
  await writeTried(parts, tried, stored, now)
  return { kind: 'sent', challenge: tried.challenge }
}

/** Whether the person may have this code and could still use it. */
async function isInHand(parts: SendParts, stored: StoredChallenge, now: number): Promise<boolean> {
  return mayBeKnown(stored.challenge) && (await isLive(parts, stored, now))
}

/** The challenge that another call has made since `previous` was read, if there is one. */
async function presentOr(
  refused: SendRefused,
  parts: SendParts,
  session: Session,
  previous: StoredChallenge | undefined,
  now: number,
): Promise<Issued> {
  const other = await readChallenge(parts, session, now)
  return other === undefined || other.challenge.id === previous?.challenge.id
    ? refused
    : { kind: 'present', challenge: other.challenge }
}
