import { randomUUID } from 'node:crypto'
import type { SmsLimits } from '../../proxy/config/config.ts'
import { readChallenge } from '../../proxy/otp/challenge-record.ts'
import { issueChallenge } from '../../proxy/otp/issue-challenge.ts'
import { sendCode } from '../../proxy/otp/send-code.ts'
import { createSmsAlarms, type SmsAlarm } from '../../proxy/otp/sms-alarms.ts'
import { verifyCode } from '../../proxy/otp/verify-code.ts'
import type { Sealer } from '../../proxy/session/sealed.ts'
import type { Session } from '../../proxy/session/session.ts'
import type { Store } from '../../proxy/store/store.ts'

/** A visit to the code page. */
export type Visit = {
  readonly subject: string
  readonly family: string
  readonly phone: string
  readonly address: string
}

/** What became of a press of "send": `by` names the limit. */
export type Pressed = { readonly kind: 'sent' | 'waits' } | { readonly kind: 'refused'; by: string }

const TTL = 5 * 60_000

// Seals are proved elsewhere, and would be most of a run.
const openSealer: Sealer = {
  seal: async (_typ, value) => JSON.stringify(value),
  unseal: async (_typ, sealed) => JSON.parse(sealed),
  unsealPast: async (_typ, sealed) => JSON.parse(sealed),
}

/** The real code steps over a store, with a sender that every message reaches. */
export function createCodeSteps(store: Store, limits: SmsLimits) {
  const { budget, verifiedAlarm } = limits
  const budgets = { sms: budget, call: budget }
  const alarms = createSmsAlarms(store, { budgets, verifiedAlarm, ttl: TTL })
  const raised: { at: number; alarm: SmsAlarm }[] = []
  let time = 0
  alarms.subscribe((alarm) => raised.push({ at: time, alarm }))
  let codes = 0
  const parts = {
    store,
    sealer: openSealer,
    channel: 'sms' as const,
    limits: { sms: limits, call: limits },
    alarms,
    sender: {
      send: async () => ({ kind: 'sent' as const, id: 'SM' }),
      call: async () => ({ kind: 'sent' as const, id: 'CA' }),
      check: async () => ({ kind: 'ok' as const, detail: '' }),
    },
    compose: (code: string) => code,
    speak: (code: string) => ({ language: 'en-US', sentences: [code] }),
    ended: () => {},
    random: {
      id: randomUUID,
      digits: (length: number) => String(++codes % 1_000_000).padStart(length, '0'),
    },
    length: 6,
    ttl: TTL,
    attempts: 5,
  }
  const sessionOf = ({ subject, family }: Visit, now: number): Session => ({
    id: family,
    family,
    subject,
    username: subject,
    groups: [],
    createdAt: now,
    authTime: now,
    seenAt: now,
    acr: 'basic',
    amr: ['pwd'],
  })

  return {
    raised,
    async open(visit: Visit, now: number): Promise<Pressed> {
      time = now
      const number = { phone: visit.phone, choices: 1 }
      const session = sessionOf(visit, now)
      const issued = await issueChallenge(
        { ...parts, address: visit.address },
        session,
        number,
        undefined,
        now,
      )
      if (issued.kind === 'limited') return { kind: 'refused', by: issued.by }
      return { kind: issued.kind === 'sent' ? 'sent' : 'waits' }
    },
    async sendAgain(visit: Visit, now: number): Promise<Pressed> {
      time = now
      const stored = await readChallenge(parts, sessionOf(visit, now), now)
      if (stored === undefined) return { kind: 'waits' }
      const asked = { ...parts, address: visit.address }
      const tried = await sendCode(asked, stored, now)
      if (tried.kind === 'limited') return { kind: 'refused', by: tried.by }
      return { kind: tried.kind === 'tried' ? 'sent' : 'waits' }
    },
    /** Types in the code of the last message, or another one. */
    async typeIn(visit: Visit, right: boolean, now: number): Promise<boolean> {
      const session = sessionOf(visit, now)
      const stored = await readChallenge(parts, session, now)
      const code = stored?.challenge.code ?? '000000'
      const typed = right ? code : code.replace(/.$/, (last) => String((Number(last) + 1) % 10))
      return (await verifyCode(parts, session, typed, visit.address, now)).kind === 'verified'
    },
  }
}

export type CodeSteps = ReturnType<typeof createCodeSteps>
