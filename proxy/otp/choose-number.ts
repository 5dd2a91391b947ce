import type { Answer } from '../answer.ts'
import { channelsTo } from '../sms/channels.ts'
import { readChallenge } from './challenge-record.ts'
import { lookUpNumbers } from './look-up-numbers.ts'
import {
  backToCodePage,
  choicePage,
  directoryPage,
  lockedPage,
  noNumberPage,
} from './otp-answers.ts'
import { chosenNumber, numberChoices } from './pick-number.ts'
import { sendNewCode } from './send-new-code.ts'
import { isLive, readLock } from './verify-code.ts'
import type { Visit } from './visit.ts'

/**
 * `GET /_stepgate/otp/number` shows the choices; `POST` with the `id` of one sends the code to it,
 * or calls a landline.
 * Choosing the number that a live code went to already sends nothing.
 */
export async function chooseNumber(visit: Visit, id: string | undefined): Promise<Answer> {
  const { context, session, exchange, now } = visit
  const lock = await readLock(context, session.subject, now)
  if (lock !== undefined) return lockedPage(visit, lock)
  const lookup = await lookUpNumbers(visit)
  if (lookup.kind === 'unavailable') return directoryPage(visit, lookup)
  if (lookup.kind === 'none') return noNumberPage(visit)
  const phone = id === undefined ? undefined : chosenNumber(session, lookup, id)
  if (phone === undefined) {
    const choices = numberChoices(session, lookup.numbers, context.config)
    return choicePage(visit, choices, exchange.incoming.method === 'POST')
  }
  const stored = await readChallenge(context, session, now)
  if (stored?.challenge.phone === phone && (await isLive(context, stored, now))) {
    return backToCodePage(visit)
  }
  const [channel = 'sms'] = channelsTo(phone, context.config)
  return sendNewCode(visit, { phone, choices: lookup.numbers.length }, stored, channel)
}
