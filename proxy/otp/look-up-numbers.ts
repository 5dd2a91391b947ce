import type { PhoneLookup } from '../phone/phone-directory.ts'
import { channelsTo } from '../sms/channels.ts'
import type { Visit } from './visit.ts'

/**
 * The person's numbers that may be texted or called. When none may, the first alone: sending to it is refused
 * with the honest sentence, where a choice would promise something.
 */
export async function lookUpNumbers({ context, session }: Visit): Promise<PhoneLookup> {
  const lookup = await context.directory.lookUp(session)
  if (lookup.kind !== 'found') return lookup
  const [first] = lookup.numbers
  const [allowed = first, ...others] = lookup.numbers.filter(
    (phone) => channelsTo(phone, context.config).length > 0,
  )
  return { kind: 'found', numbers: [allowed, ...others] }
}
