import type { PhoneLookup } from '../phone/phone-directory.ts'
import { mayBeTexted } from '../sms/allowed-countries.ts'
import type { Visit } from './visit.ts'

/**
 * The person's numbers that may be texted. When none may, the first alone: sending to it is refused
 * with the honest sentence, where a choice would promise something.
 */
export async function lookUpNumbers({ context, session }: Visit): Promise<PhoneLookup> {
  const lookup = await context.directory.lookUp(session)
  if (lookup.kind !== 'found') return lookup
  const [first] = lookup.numbers
  const { smsCountries } = context.config
  const [allowed = first, ...others] = lookup.numbers.filter((phone) =>
    mayBeTexted(phone, smsCountries),
  )
  return { kind: 'found', numbers: [allowed, ...others] }
}
