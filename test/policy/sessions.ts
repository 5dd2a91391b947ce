import type { Session } from '../../proxy/session/session.ts'

/** The time of these tests, epoch ms. */
export const NOW = 1_800_000_000_000

/** Somebody who signed in ten minutes ago. */
export const BASIC: Session = {
  id: 'id',
  family: 'family',
  subject: 'subject',
  username: 'alice',
  groups: ['staff', 'hr'],
  acr: 'basic',
  amr: ['pwd'],
  authTime: NOW - 600_000,
  createdAt: NOW - 600_000,
  seenAt: NOW - 1_000,
}

/** The same with a code so many ms ago. */
export function withCode(age: number): Session {
  return { ...BASIC, acr: 'twilio_sms', amr: ['pwd', 'sms', 'otp', 'mfa'], otpTime: NOW - age }
}
