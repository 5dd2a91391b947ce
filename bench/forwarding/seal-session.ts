import { createKeptGroups } from '../../proxy/session/kept-groups.ts'
import { createSealer } from '../../proxy/session/sealed.ts'
import { createSessionReader } from '../../proxy/session/session-reader.ts'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'
import { SESSION_SECRET } from '../codes/processes.ts'

const LIMITS = { idle: 36_000_000, lifetime: 43_200_000 }
const sealer = createSealer([SESSION_SECRET])
const reader = createSessionReader({
  sealer,
  limits: LIMITS,
  keptGroups: createKeptGroups({ store: createMemoryStore(), sealer, ...LIMITS }),
  isRevoked: () => false,
  capacity: 1,
})

/** The cookie of one of many people, who are too many to be signed in. */
export async function sealSession(person: number): Promise<string> {
  const now = Date.now()
  const session = {
    id: `session-${person}`,
    family: `family-${person}`,
    subject: `person-${person}`,
    username: `person${person}`,
    email: `person${person}@example.com`,
    name: `Person ${person}`,
    groups: ['staff', 'payroll'],
    acr: 'twilio_sms',
    amr: ['pwd', 'sms', 'otp', 'mfa'],
    authTime: now,
    otpTime: now,
    createdAt: now,
    seenAt: now,
  } as const
  return `stepgate=${await reader.seal(session, now)}`
}
