import { createHmac } from 'node:crypto'
import type { PhoneLookup } from '../phone/phone-directory.ts'
import type { Session } from '../session/session.ts'
import { channelsTo, type Reach } from '../sms/channels.ts'
import type { Channel } from '../sms/sender.ts'
import { lastDigits } from './challenge.ts'

/** A number as the page may show it; `id` names it for this session only, without telling it. */
export type NumberChoice = {
  readonly id: string
  readonly lastDigits: string
  /** How the code goes to it. */
  readonly channel: Channel
}

/** The choices of a session, in the directory's order. */
export function numberChoices(
  session: Session,
  numbers: readonly string[],
  reach: Reach,
): NumberChoice[] {
  return numbers.map((phone) => {
    const [channel = 'sms'] = channelsTo(phone, reach)
    return { id: idOf(session, phone), lastDigits: lastDigits(phone), channel }
  })
}

/** The directory's number that was chosen; a form can only choose, never name one. */
export function chosenNumber(
  session: Session,
  lookup: Extract<PhoneLookup, { kind: 'found' }>,
  id: string,
): string | undefined {
  return lookup.numbers.find((phone) => idOf(session, phone) === id)
}

// Keyed by what nobody outside knows: a number has too few digits to stay hidden otherwise.
function idOf({ id }: Session, phone: string): string {
  return createHmac('sha256', id).update(phone).digest('base64url').slice(0, 22)
}
