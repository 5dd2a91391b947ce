import type { SendLimits } from '../config/config.ts'
import type { Channel } from '../sms/sender.ts'
import { type CountWindow, type Store, StoreUnavailableError } from '../store/store.ts'
import type { Challenge } from './challenge.ts'
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

/** A message of a code that was made at `createdAt` (epoch ms), after `sends` of it. */
export type CodeSending = Sending & Pick<Challenge, 'createdAt' | 'sends'>

/** Counts a message against all limits, or against none and says which refuses it. */
export async function countSending(
  parts: LimitParts & { readonly alarms: SmsAlarms },
  sending: CodeSending,
  now: number,
): Promise<Limited | undefined> {
  const limited = await countAll(parts, sending, now)
  const { alarms } = parts
  const { channel } = sending
  try {
    if (limited?.by === 'budget') await alarms.budgetSpent(channel, limited.retryAt, now)
    await alarms.look(channel, now)
  } catch (error) {
    // What has been counted is sent; the next message looks again.
    if (!(error instanceof StoreUnavailableError)) throw error
  }
  return limited
}

async function countAll(
  { store, limits }: LimitParts,
  sending: CodeSending,
  now: number,
): Promise<Limited | undefined> {
  const { unknown } = sending
  const trust = unknown ? await readTrust(store, sending, now) : undefined
  const windows = sendWindows(limits[sending.channel], sending, trust)
  const code = codeWindowsOf(sending)
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

/** A code counts with its first message. */
function codeWindowsOf({ sends, createdAt }: CodeSending): readonly CountWindow[] {
  return sends.length === 0 ? codeWindows(createdAt) : []
}

/** Takes a message back that did not go out: it cost nothing and reached nobody. */
export async function takeBackUnsent(
  { store, limits }: LimitParts,
  sending: CodeSending,
  now: number,
): Promise<void> {
  const windows = sendWindows(limits[sending.channel], sending).filter(
    ({ backWhenUnsent }) => backWhenUnsent,
  )
  const keys = [...windows, ...codeWindowsOf(sending)].map(({ key }) => key)
  await store.uncount(keys, now)
}

/**
 * A code was typed in at `address`: its messages and calls are taken back where they were asked
 * for, and its number is known from here on.
 */
export async function takeBackVerified(
  { store, limits }: LimitParts,
  sending: CodeSending,
  now: number,
): Promise<void> {
  const { subject, phone, unknown, sends } = sending
  // The code may arrive before Twilio's answer, which is when its message is written down.
  const sent = sends.length > 0 ? sends : [sending]
  const keys = sent.flatMap(({ channel, address }) =>
    sendWindows(limits[channel], { ...sending, channel, address })
      .filter((window) => window.backWhenVerified)
      .map(({ key }) => key),
  )
  await store.uncount([...keys, openCodeKey(sending.createdAt)], now)
  await makeKnown(store, subject, phone, now)
  if (unknown) await store.count([becameKnownWindow(phone)], now)
  await store.count(usedFromWindows(sending, now), now)
}
