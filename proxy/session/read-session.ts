import * as z from 'zod'
import type { Packed } from './kept-groups.ts'
import type { Session } from './session.ts'

const text = z.string().min(1)
const time = z.int().nonnegative()

const SESSION = z.strictObject({
  id: text,
  family: text,
  subject: text,
  sid: text.exactOptional(),
  username: text,
  email: z.string().exactOptional(),
  name: z.string().exactOptional(),
  groups: z.array(z.string()),
  groupsHash: text.exactOptional(),
  claimedPhones: z.array(text).exactOptional(),
  locale: z.string().exactOptional(),
  acr: z.enum(['basic', 'twilio_sms']),
  amr: z.array(z.string()),
  authTime: time,
  authTimeGiven: z.literal(true).exactOptional(),
  otpTime: time.exactOptional(),
  createdAt: time,
  lastEndBefore: time.exactOptional(),
  seenAt: time,
  checkedAt: time.exactOptional(),
})

/**
 * A session out of what was unsealed; undefined when one field is missing, superfluous or
 * of another type, or when acr and `otpTime` do not fit each other.
 */
export function readSession(value: unknown): Packed<Session> | undefined {
  const parsed = SESSION.safeParse(value)
  if (!parsed.success) return undefined
  const session = parsed.data
  if ((session.acr === 'twilio_sms') !== (session.otpTime !== undefined)) return undefined
  return session
}

/** The same session, which nobody can change any more. */
export function freezeSession(session: Session): Session {
  for (const part of Object.values(session)) Object.freeze(part)
  return Object.freeze(session)
}
