import { CLOCK_SKEW, type Session } from '../session/session.ts'
import type { Acr } from './acr.ts'
import type { AuthChallenge } from './parse-challenges.ts'
import type { Demand } from './rule.ts'
import { isSignedInWithin, satisfies } from './satisfies.ts'

/** `maxAge` in ms. */
type Wish = { readonly acr: Acr; readonly maxAge?: number }

/** What an application says that asks for more (RFC 9470 §3). */
const ERROR = 'insufficient_user_authentication'
const ACRS: readonly Acr[] = ['basic', 'twilio_sms']
/** In seconds; more than anybody has been signed in for. */
const LONGEST = 999_999_999
/**
 * What was proved within the last minute (ms) is fresh, however little the application allows:
 * a person has to get back to it, and the clocks of several machines differ.
 */
const JUST_NOW = CLOCK_SKEW

/**
 * What an application asks for by the challenges of its 401. Undefined when none of them is for
 * stepgate, or when the session already is all that one of them asks for: then the application means
 * something else, and to ask once more would go round for ever. Of several alternatives, challenges
 * or acr values, the first counts that stepgate knows.
 */
export function judgeChallenges(
  challenges: readonly AuthChallenge[],
  session: Session | undefined,
  now: number,
): Demand | undefined {
  const wishes = challenges.flatMap(wishesOf)
  const [first] = wishes
  if (first === undefined || wishes.some((wish) => isMet(wish, session, now))) return undefined
  const { acr, ...fresh } = first
  return acr === 'basic' ? { kind: 'sign-in', ...fresh } : { kind: 'step-up', acr, ...fresh }
}

/** Without acr values it is the code that has to be fresh. */
function wishesOf({ params }: AuthChallenge): Wish[] {
  if (params.get('error') !== ERROR) return []
  const maxAge = readMaxAge(params.get('max_age'))
  const fresh = maxAge === undefined ? {} : { maxAge }
  const values = params.get('acr_values')?.split(' ')
  if (values === undefined) return maxAge === undefined ? [] : [{ acr: 'twilio_sms', maxAge }]
  return values.flatMap((value) => {
    const acr = ACRS.find((known) => known === value)
    return acr === undefined ? [] : [{ acr, ...fresh }]
  })
}

function readMaxAge(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]+$/.test(text)) return undefined
  return Math.min(Number(text), LONGEST) * 1000
}

function isMet({ acr, maxAge }: Wish, session: Session | undefined, now: number): boolean {
  if (session === undefined) return false
  if (acr === 'basic') return maxAge === undefined || isSignedInWithin(session, maxAge, now)
  return satisfies(
    session,
    { maxAge: maxAge === undefined ? undefined : Math.max(maxAge, JUST_NOW) },
    now,
  )
}
