import type { Channel } from '../sms/sender.ts'
import { keyOf } from '../store/key-of.ts'
import type { Store } from '../store/store.ts'
import { budgetKey } from './send-limits.ts'
import { readVerifiedShare, type VerifiedShare } from './verified-share.ts'

/** What somebody should look at. `used` and `budget` are messages or calls in a day. */
export type SmsAlarm =
  | (OfBudget & { readonly kind: 'budget_warning'; readonly used: number })
  | (OfBudget & { readonly kind: 'budget_spent'; readonly until: number })
  | ({ readonly kind: 'pumping_suspected' } & VerifiedShare)

type OfBudget = { readonly channel: Channel; readonly budget: number }

/** Raises each alarm once in its time, whichever of several processes sees it first. */
export type SmsAlarms = {
  /** Looks at the budget and the verified share; for after a message or call that was counted. */
  look(channel: Channel, now: number): Promise<void>
  /** The budget is spent until `until` (epoch ms). */
  budgetSpent(channel: Channel, until: number, now: number): Promise<void>
  /** How much of each budget is used, and the codes of the last hour; raises nothing. */
  read(now: number): Promise<SmsState>
  /** Calls `listener` for each alarm that this process is the first to raise. */
  subscribe(listener: (alarm: SmsAlarm) => void): void
}

/** `used`: messages and calls of the running day. */
export type SmsState = {
  readonly used: Readonly<Record<Channel, number>>
  readonly share: VerifiedShare
}

const HOUR = 3_600_000
const DAY = 24 * HOUR
const WARN_AT = 0.8
/** Of fewer codes a share says nothing. */
const LEAST_CODES = 30
const LOOK_EVERY = 60_000

/** `verifiedAlarm` is the share of codes (0 to 1) below which pumping is suspected; `ttl` theirs. */
export function createSmsAlarms(
  store: Store,
  {
    budgets,
    verifiedAlarm,
    ttl,
  }: { budgets: Readonly<Record<Channel, number>>; verifiedAlarm: number; ttl: number },
): SmsAlarms {
  const listeners: ((alarm: SmsAlarm) => void)[] = []
  let looked = Number.NEGATIVE_INFINITY

  async function raise(
    alarm: SmsAlarm,
    untilWhen: () => number | Promise<number>,
    now: number,
  ): Promise<void> {
    const key = keyOf('alarm', alarm.kind, 'channel' in alarm ? alarm.channel : '')
    // Read first: what has been raised would be asked for with every message.
    if ((await store.get(key, now)) !== undefined) return
    const until = await untilWhen()
    if ((await store.swap(key, undefined, '1', until, now)).kind === 'conflict') return
    for (const listener of listeners) listener(alarm)
  }

  async function lookAtBudget(channel: Channel, now: number): Promise<void> {
    const budget = budgets[channel]
    const [used = 0] = await store.counts([budgetKey(channel)], now)
    if (used < WARN_AT * budget) return
    const alarm = { kind: 'budget_warning', channel, used, budget } as const
    await raise(alarm, () => endOfDay(channel, now), now)
  }

  /** When the budget's day ends, which began with its first message. */
  async function endOfDay(channel: Channel, now: number): Promise<number> {
    // Where there is no room nothing is counted, and the window says when it ends.
    const window = { key: budgetKey(channel), limit: 0, windowMs: DAY }
    const counted = await store.count([window], now)
    return counted.kind === 'full' ? counted.retryAt : now + DAY
  }

  async function lookAtShare(now: number): Promise<void> {
    if (now - looked < LOOK_EVERY) return
    looked = now
    const share = await readVerifiedShare(store, ttl, now)
    if (share.codes < LEAST_CODES || share.verified >= verifiedAlarm * share.codes) return
    await raise({ kind: 'pumping_suspected', ...share }, () => now + HOUR, now)
  }

  return {
    async look(channel, now) {
      await lookAtBudget(channel, now)
      await lookAtShare(now)
    },
    budgetSpent: (channel, until, now) =>
      raise({ kind: 'budget_spent', channel, budget: budgets[channel], until }, () => until, now),
    async read(now) {
      const [[sms = 0, call = 0], share] = await Promise.all([
        store.counts([budgetKey('sms'), budgetKey('call')], now),
        readVerifiedShare(store, ttl, now),
      ])
      return { used: { sms, call }, share }
    },
    subscribe(listener) {
      listeners.push(listener)
    },
  }
}
