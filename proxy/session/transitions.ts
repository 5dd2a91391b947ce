import { CLOCK_SKEW, type Session } from './session.ts'

/** Idle and absolute limit in ms. */
export type SessionLimits = { readonly idle: number; readonly lifetime: number }

/** What the provider proved, as a session begins with it. */
export type SessionIdentity = Omit<
  Session,
  'id' | 'family' | 'otpTime' | 'createdAt' | 'lastEndBefore' | 'seenAt' | 'checkedAt'
>

/**
 * A new session. An identity that comes with `twilio_sms` had its second factor at the provider,
 * so that counts from `authTime`; where the provider does not say when, no `max_age` is satisfied.
 */
export function startSession(
  identity: SessionIdentity,
  {
    id,
    family,
    lastEndBefore,
    now,
  }: { id: string; family: string; lastEndBefore?: number | undefined; now: number },
): Session {
  const { authTime, authTimeGiven } = identity
  return {
    ...identity,
    id,
    family,
    ...(identity.acr === 'twilio_sms' && { otpTime: authTimeGiven ? authTime : 0 }),
    createdAt: now,
    ...(lastEndBefore !== undefined && { lastEndBefore }),
    seenAt: now,
  }
}

/**
 * A session that begins while another of the same person is alive: its code, if there was one, and none
 * as new came with the sign-in, counts on, and ends when it would have ended without the new sign-in.
 */
export function keepCode(session: Session, before: Session): Session {
  const { otpTime, createdAt } = before
  if (otpTime === undefined || otpTime <= (session.otpTime ?? -1)) return session
  const amr = [...new Set([...session.amr, ...methodsOfCode(before.amr)])]
  return { ...session, acr: 'twilio_sms', amr, otpTime, createdAt }
}

/** What came with the code, and not with the sign-in before it. */
function methodsOfCode(amr: readonly string[]): readonly string[] {
  const hasCode = amr.some((method) => CODE_METHODS.has(method))
  return amr.filter((method) => CODE_METHODS.has(method) || (hasCode && method === 'mfa'))
}

const CODE_METHODS: ReadonlySet<string> = new Set(['sms', 'tel', 'otp'])

/** The session after a code was verified: a new id (ASVS 5 7.2.4), the same family and end. */
export function stepUp(
  session: Session,
  { id, method, now }: { id: string; method: 'sms' | 'tel'; now: number },
): Session {
  const amr = [...new Set([...session.amr, method, 'otp', 'mfa'])]
  return { ...touch(session, now), id, acr: 'twilio_sms', amr, otpTime: now }
}

/** The session as seen now, never earlier than before. */
export function touch(session: Session, now: number): Session {
  return { ...session, seenAt: Math.max(session.seenAt, now) }
}

/** Whether to write the cookie again: a tenth of the idle limit has gone since the last time. */
export function needsTouch(session: Session, idle: number, now: number): boolean {
  return now - session.seenAt >= idle / 10
}

/** The moment from which the session is dead, by the idle or the absolute limit (epoch ms). */
export function expiresAt(session: Session, { idle, lifetime }: SessionLimits): number {
  return Math.min(session.seenAt + idle, session.createdAt + lifetime)
}

/** Whether both limits still hold. A session from the future was made under a wrong clock: dead. */
export function isLive(session: Session, limits: SessionLimits, now: number): boolean {
  const latest = now + CLOCK_SKEW
  return now < expiresAt(session, limits) && session.createdAt <= latest && session.seenAt <= latest
}
