import type { Session } from '../../proxy/session/session.ts'

export const NOW = 1_700_000_000_000
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE

/** A live session with every optional field, changed as asked. */
export function sampleSession(changes: Partial<Session> = {}): Session {
  return {
    id: 'session-id',
    family: 'family-id',
    subject: 'subject-1',
    username: 'alice',
    email: 'alice@example.com',
    name: 'Alice Ünal',
    groups: ['hr', 'admins'],
    claimedPhones: ['+15551234567'],
    locale: 'en',
    acr: 'twilio_sms',
    amr: ['pwd', 'sms', 'otp', 'mfa'],
    authTime: NOW - HOUR,
    otpTime: NOW - MINUTE,
    createdAt: NOW - HOUR,
    seenAt: NOW,
    checkedAt: NOW - MINUTE,
    ...changes,
  }
}
