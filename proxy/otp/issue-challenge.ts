import type { Random } from '../random.ts'
import type { Session } from '../session/session.ts'
import type { Challenge } from './challenge.ts'
import {
  makeNewest,
  readChallenge,
  type StoredChallenge,
  spendChallenge,
  writeChallenge,
} from './challenge-record.ts'
import { isKnown } from './known-numbers.ts'
import { countSend, resendAt, type SendParts, type SendRefused, sendCode } from './send-code.ts'

/** The number that the person chose, and how many there were. */
export type ChosenNumber = { readonly phone: string; readonly choices: number }

/** `sent`: by this call, with its outcome in `delivery`. `present`: another call was first. */
export type Issued =
  | { readonly kind: 'sent'; readonly challenge: Challenge }
  | { readonly kind: 'present'; readonly challenge: Challenge }
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
  const challenge: Challenge = {
    id: parts.random.id(),
    subject: session.subject,
    family: session.family,
    purpose: 'step-up',
    phone: number.phone,
    unknown: !(await isKnown(parts.store, session.subject, number.phone, now)),
    choices: number.choices,
    code: parts.random.digits(parts.length),
    createdAt: now,
    expiresAt: now + parts.ttl,
    messages: 0,
    calls: 0,
    channel: parts.channel,
    delivery: { kind: 'sending', at: now, channel: parts.channel },
    arrived: false,
  }
  const until = await resendAt(parts, challenge, now)
  if (until > now) return presentOr({ kind: 'wait', until }, parts, session, previous, now)
  const stored = await writeChallenge(parts, challenge, previous?.sealed, now)
  if (stored === undefined) {
    return presentOr({ kind: 'wait', until: now + 1000 }, parts, session, previous, now)
  }
  const refused = await countSend(parts, challenge, now)
  if (refused !== undefined) {
    // The code before goes on living.
    if (previous === undefined) await spendChallenge(parts, stored, now)
    else await writeChallenge(parts, previous.challenge, stored.sealed, now)
    return refused
  }
  await makeNewest(parts, challenge)
  return { kind: 'sent', challenge: await sendCode(parts, stored, now) }
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
