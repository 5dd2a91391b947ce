import type { SendLimits } from '../config/config.ts'
import type { Channel } from '../sms/sender.ts'
import type { Store } from '../store/store.ts'
import { makeKnown } from './known-numbers.ts'
import {
  becameKnownWindow,
  type LimitName,
  type Sending,
  type SendWindow,
  sendWindows,
  type Trust,
  underPressure,
  usedFromKeys,
  usedFromWindows,
} from './send-limits.ts'
import type { SmsAlarms } from './sms-alarms.ts'
import { codeWindows, openCodeKey } from './verified-share.ts'

/** What limits are counted with. */
export type LimitParts = {
  readonly store: Store
  readonly limits: Readonly<Record<Channel, SendLimits>>
}

/** A send that a limit refuses until `retryAt` (epoch ms). */
export type Limited = {
  readonly kind: 'limited'
  readonly by: LimitName
  readonly retryAt: number
}

/** A message of a code that was made at `createdAt` (epoch ms), after `messages` others of it. */
export type CodeSending = Sending & { readonly createdAt: number; readonly messages: number }

/** Counts a message against all limits, or against none and says which refuses it. */
export async function countSending(
  parts: LimitParts & { readonly alarms: SmsAlarms },
  sending: CodeSending,
  now: number,
): Promise<Limited | undefined> {
  const limited = await countAll(parts, sending, now)
  const { channel } = sending
  if (limited?.by === 'budget') await parts.alarms.budgetSpent(channel, limited.retryAt, now)
  await parts.alarms.look(channel, now)
  return limited
}

async function countAll(
  { store, limits }: LimitParts,
  sending: CodeSending,
  now: number,
): Promise<Limited | undefined> {
  const { unknown, createdAt, messages } = sending
  const trust = unknown ? await readTrust(store, sending, now) : undefined
  const windows = sendWindows(limits[sending.channel], sending, trust)
  const code = messages === 0 ? codeWindows(createdAt) : []
  const count = async (asked: readonly SendWindow[]): Promise<Limited | undefined> => {
    const counted = await store.count([...asked, ...code], now)
    if (counted.kind === 'counted') return undefined
    // The windows of the code have no limit.
    const by = asked[counted.full]?.name ?? 'budget'
    return { kind: 'limited', by, retryAt: counted.retryAt }
  }
  const limited = await count(windows)
  if (trust === undefined || limited?.by !== 'unknown') return limited
  return count(underPressure(windows, trust))
}

async function readTrust(store: Store, { phone, address }: Sending, now: number): Promise<Trust> {
  const keys = [becameKnownWindow(phone).key, ...usedFromKeys(address, now)]
  const [knownInPrefix = 0, ...people] = await store.counts(keys, now)
  return { knownInPrefix, peopleAtAddress: Math.max(...people) }
}

/**
 * Takes a message back that did not go out: it cost nothing and reached nobody. One that was not
 * even tried leaves no trace, or who waits for Twilio to work again would be refused then.
 */
export async function takeBackUnsent(
  { store, limits }: LimitParts,
  sending: CodeSending,
  tried: boolean,
  now: number,
): Promise<void> {
  const keys = sendWindows(limits[sending.channel], sending).flatMap((window) =>
    window.backWhenUnsent || !tried ? [window.key] : [],
  )
  const code = sending.messages === 0 ? codeWindows(sending.createdAt) : []
  await store.uncount([...keys, ...code.map(({ key }) => key)], now)
}

/** A code was typed in: its messages and calls are taken back, and its number is known from here on. */
export async function takeBackVerified(
  { store, limits }: LimitParts,
  sending: CodeSending & { readonly calls: number },
  now: number,
): Promise<void> {
  const { subject, phone, unknown, messages, calls } = sending
  const sent: Record<Channel, number> = { sms: messages - calls, call: calls }
  // The code may arrive before Twilio's answer, which is when its message is written down.
  if (messages === 0) sent[sending.channel] = 1
  const keys = (['sms', 'call'] as const).flatMap((channel) =>
    sendWindows(limits[channel], { ...sending, channel })
      .filter((window) => window.backWhenVerified)
      .flatMap(({ key }) => Array<string>(sent[channel]).fill(key)),
  )
  await store.uncount([...keys, openCodeKey(sending.createdAt)], now)
  await makeKnown(store, subject, phone, now)
  if (unknown) await store.count([becameKnownWindow(phone)], now)
  await store.count(usedFromWindows(sending, now), now)
}
