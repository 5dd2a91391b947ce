import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe } from 'node:test'
import type { SendLimits, SmsLimits } from '../../proxy/config/config.ts'
import { type Issued, issueChallenge } from '../../proxy/otp/issue-challenge.ts'
import type { SendParts } from '../../proxy/otp/send-code.ts'
import {
  type LimitName,
  type Sending,
  type SendWindow,
  sendWindows,
} from '../../proxy/otp/send-limits.ts'
import { createSmsAlarms } from '../../proxy/otp/sms-alarms.ts'
import type { Verified } from '../../proxy/otp/verify-code.ts'
import { verifyCode } from '../../proxy/otp/verify-code.ts'
import { createSealer } from '../../proxy/session/sealed.ts'
import type { Session } from '../../proxy/session/session.ts'
import type { DeliveryReport } from '../../proxy/sms/delivery-report.ts'
import type { Sender, SendOutcome, SmsMessage, VoiceCall } from '../../proxy/sms/sender.ts'
import type { Store } from '../../proxy/store/store.ts'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'
import { createSqliteStore } from '../../proxy/store/store-sqlite.ts'
import { loadedOk, loadWith } from '../config/valid-env.ts'
import { NOW, sampleSession } from '../session/session-sample.ts'

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const DAY = 24 * 60 * MINUTE
export const TTL = 5 * MINUTE
export const PHONE = '+4915228817386'
const ADDRESS = '192.0.2.7'

/** Runs the same tests over each store; every call of `open` gives a new, empty one. */
export function overStores(name: string, tests: (open: () => Store) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'stepgate-otp-'))
  let count = 0
  for (const kind of ['memory', 'sqlite']) {
    describe(`${name}, ${kind}`, () => {
      const opened: Store[] = []
      after(async () => {
        await Promise.all(opened.map((store) => store.close()))
        if (kind === 'sqlite') rmSync(folder, { recursive: true })
      })
      tests(() => {
        count += 1
        const store =
          kind === 'memory' ? createMemoryStore() : createSqliteStore(join(folder, `${count}.db`))
        opened.push(store)
        return store
      })
    })
  }
}

/** Somebody who has only the first factor. */
export function basicSession(changes: Partial<Session> = {}): Session {
  const { otpTime: _, ...session } = sampleSession({ acr: 'basic', amr: ['pwd'], createdAt: NOW })
  return { ...session, ...changes }
}

/** A sender that keeps what it sends and answers as it is told, `sent` by default. */
export function fakeSender() {
  const sent: SmsMessage[] = []
  const calls: VoiceCall[] = []
  const outcomes: (SendOutcome | Promise<SendOutcome>)[] = []
  const sender: Sender = {
    async send(message) {
      sent.push(message)
      return outcomes.shift() ?? { kind: 'sent', id: `SM${sent.length}` }
    },
    async call(call) {
      calls.push(call)
      return outcomes.shift() ?? { kind: 'sent', id: `CA${calls.length}` }
    },
    check: async () => ({ kind: 'ok', detail: '' }),
  }
  return {
    sender,
    sent,
    calls,
    next: (...answers: (SendOutcome | Promise<SendOutcome>)[]) => outcomes.push(...answers),
  }
}

/** What sending is limited to when nothing is configured. */
export const LIMITS: SmsLimits = loadedOk(loadWith({})).config.smsLimits

/** What calling is limited to when nothing is configured. */
export const CALL_LIMITS: SendLimits = loadedOk(loadWith({})).config.voiceLimits

const MANY = [{ limit: 1_000_000, windowMs: DAY }]

/** Limits that none of a few thousand messages reaches. */
export const NO_LIMITS: SmsLimits = {
  person: MANY,
  number: MANY,
  address: MANY,
  prefix: MANY,
  unknown: MANY,
  budget: 1_000_000,
  verifiedAlarm: 0,
}

/** The windows of a message from `codeSteps` of one limit, shortest first. */
export function windowsOf(
  name: LimitName,
  sending: Partial<Sending> = {},
  limits: SendLimits = LIMITS,
): SendWindow[] {
  const channel = 'sms' as const
  const from = { channel, subject: 'subject-1', phone: PHONE, address: ADDRESS, unknown: true }
  return sendWindows(limits, { ...from, ...sending }).filter((window) => window.name === name)
}

const sealer = createSealer(['a-secret-for-the-tests-of-the-code-step'])

/** The code steps over a store with a fake sender; codes count up, so each is known and unique. */
export function codeSteps(store: Store, limits = LIMITS, callLimits: SendLimits = CALL_LIMITS) {
  const phone = fakeSender()
  let codes = 0
  const ended: { message: string; report: DeliveryReport }[] = []
  const parts: SendParts & Parameters<typeof issueChallenge>[0] & { attempts: number } = {
    store,
    sealer,
    sender: phone.sender,
    address: ADDRESS,
    channel: 'sms',
    limits: { sms: limits, call: callLimits },
    alarms: createSmsAlarms(store, {
      budgets: { sms: limits.budget, call: callLimits.budget },
      verifiedAlarm: limits.verifiedAlarm,
      ttl: TTL,
    }),
    compose: (code) => code,
    speak: (code) => ({ language: 'en-US', sentences: [code] }),
    ended: (_, message, report) => ended.push({ message, report }),
    random: {
      id: randomUUID,
      digits: (length) => String(100_000 + ++codes).padStart(length, '0'),
    },
    length: 6,
    ttl: TTL,
    attempts: 5,
  }
  return {
    ...phone,
    parts,
    /** What Twilio has reported before it answered. */
    ended,
    /** Codes in the order in which their messages went out. */
    codes: () => phone.sent.map(({ body }) => body),
    lastCode: () => phone.sent.at(-1)?.body ?? '',
    issue: (
      session: Session,
      now: number,
      previous?: Parameters<typeof issueChallenge>[3],
      number = PHONE,
    ): Promise<Issued> =>
      issueChallenge(parts, session, { phone: number, choices: 1 }, previous, now),
    verify: (session: Session, code: string, now: number): Promise<Verified> =>
      verifyCode(parts, session, code, parts.address, now),
  }
}
