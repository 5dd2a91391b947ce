import { CLOCK_SKEW, type Session } from '../session/session.ts'

/**
 * Whether the session proves `twilio_sms`, by a code that is not older than `maxAge` (ms) if that is
 * given. A code from the future, or of a time that is no number, proves nothing.
 */
export function satisfies(
  session: Session,
  { maxAge }: { readonly maxAge?: number | undefined },
  now: number,
): boolean {
  if (session.acr !== 'twilio_sms' || !isPast(session.otpTime, now)) return false
  return maxAge === undefined || now - session.otpTime <= maxAge
}

/**
 * Whether the provider says that the person signed in within the last `within` ms. Its clock may be
 * behind, so a minute more counts; a time that it did not say itself proves nothing.
 */
export function isSignedInWithin(
  { authTime, authTimeGiven }: Pick<Session, 'authTime' | 'authTimeGiven'>,
  within: number,
  now: number,
): boolean {
  return authTimeGiven === true && now - authTime <= within + CLOCK_SKEW
}

/** Whether this is a time, and one that has been. */
export function isPast(time: number | undefined, now: number): time is number {
  return typeof time === 'number' && time - now <= CLOCK_SKEW && Number.isFinite(time)
}
