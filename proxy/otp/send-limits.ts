import type { Config, LimitWindow, SendLimits } from '../config/config.ts'
import { networkOf } from '../request/client-address.ts'
import type { Channel } from '../sms/sender.ts'
import { keyOf } from '../store/key-of.ts'
import type { CountWindow } from '../store/store.ts'

const DAY = 86_400_000
const NONE = Number.POSITIVE_INFINITY

/** What a prefix gets once all unknown numbers together have had their share. */
const UNDER_PRESSURE = 2

/** So many people who used a code make an address one of the staff's. */
const STAFF_ADDRESS = 3
/** People at an address are counted anew in each such part of the calendar (ms). */
const STAFF_PERIOD = 30 * DAY

/** A message or call as the limits see it; each channel has windows of its own. */
export type Sending = {
  readonly channel: Channel
  readonly subject: string
  /** E.164 */
  readonly phone: string
  /** The client's address. */
  readonly address: string
  /** Whether this person has not typed in a code that went to this number for a long time. */
  readonly unknown: boolean
}

/** The limits of each channel. */
export function limitsOf(
  config: Pick<Config, 'smsLimits' | 'voiceLimits'>,
): Readonly<Record<Channel, SendLimits>> {
  return { sms: config.smsLimits, call: config.voiceLimits }
}

/** What a send may be refused by. */
export type LimitName = 'person' | 'number' | 'address' | 'prefix' | 'budget' | 'unknown'

/** A window that a message counts in, and when it is taken back from it. */
export type SendWindow = CountWindow & {
  readonly name: LimitName
  readonly backWhenVerified: boolean
  readonly backWhenUnsent: boolean
}

type TakenBack = Pick<SendWindow, 'backWhenVerified' | 'backWhenUnsent'>

// What many people share must not be filled by those who do nothing but sign in.
const SHARED: TakenBack = { backWhenVerified: true, backWhenUnsent: true }
const BILL: TakenBack = { backWhenVerified: false, backWhenUnsent: true }

/** What codes that were used say for unknown numbers. */
export type Trust = {
  /** How many numbers of the prefix have become known today. */
  readonly knownInPrefix: number
  /** How many people have used a code at the address lately. */
  readonly peopleAtAddress: number
}

/**
 * All that a message counts against, the most particular first. A prefix is allowed one more to an
 * unknown number for each that has become known in it.
 */
export function sendWindows(
  limits: SendLimits,
  sending: Sending,
  { knownInPrefix, peopleAtAddress }: Trust = NO_TRUST,
): SendWindow[] {
  const { subject, phone, address, unknown } = sending
  const windowOf = windowBy(sending.channel)
  const prefix = limits.prefix.map((window) => ({
    ...window,
    limit: window.limit + knownInPrefix,
  }))
  const all = peopleAtAddress < STAFF_ADDRESS ? limits.unknown : unlimited(limits.unknown)
  const budget = { limit: limits.budget, windowMs: DAY }
  return [
    ...limits.person.map((window) => windowOf('person', subject, window, ownWindow(window))),
    ...limits.number.map((window) => windowOf('number', phone, window, ownWindow(window))),
    ...limits.address.map((window) => windowOf('address', networkOf(address), window, SHARED)),
    ...(unknown ? prefix : []).map((window) => windowOf('prefix', prefixOf(phone), window, SHARED)),
    windowOf('budget', '', budget, BILL),
    ...(unknown ? all : []).map((window) => windowOf('unknown', '', window, SHARED)),
  ]
}

/** The same once unknown numbers have had their share: each prefix may still have very few. */
export function underPressure(
  windows: readonly SendWindow[],
  { knownInPrefix }: Trust,
): SendWindow[] {
  return windows.map((window) => {
    if (window.name === 'unknown') return { ...window, limit: NONE }
    if (window.name !== 'prefix') return window
    return { ...window, limit: Math.min(window.limit, UNDER_PRESSURE + knownInPrefix) }
  })
}

const NO_TRUST: Trust = { knownInPrefix: 0, peopleAtAddress: 0 }

function unlimited(windows: readonly LimitWindow[]): readonly LimitWindow[] {
  return windows.map((window) => ({ ...window, limit: NONE }))
}

/** Where the numbers of a prefix that became known today are counted. */
export function becameKnownWindow(phone: string): CountWindow {
  return { key: keyOf('became-known', prefixOf(phone)), limit: NONE, windowMs: DAY }
}

/** Where somebody who used a code at an address is counted: the first is full once she has been. */
export function usedFromWindows(
  { subject, address }: Pick<Sending, 'subject' | 'address'>,
  now: number,
): readonly CountWindow[] {
  const network = networkOf(address)
  const by = keyOf('used-from-by', subject, network, periodOf(now))
  return [
    { key: by, limit: 1, windowMs: STAFF_PERIOD },
    { key: usedFromKey(network, periodOf(now)), limit: NONE, windowMs: 2 * STAFF_PERIOD },
  ]
}

/** Where the people of this period and of the last one are counted. */
export function usedFromKeys(address: string, now: number): readonly [string, string] {
  const network = networkOf(address)
  return [usedFromKey(network, periodOf(now)), usedFromKey(network, periodOf(now - STAFF_PERIOD))]
}

const usedFromKey = (network: string, period: string) => keyOf('used-from', network, period)
const periodOf = (time: number) => String(Math.floor(time / STAFF_PERIOD))

/** Where the budget is counted. */
export function budgetKey(channel: Channel): string {
  return sendsKey(channel, 'budget', '', DAY)
}

/** Where messages or calls to a person are counted. */
export function personKeys(
  channel: Channel,
  { person }: SendLimits,
  subject: string,
): readonly string[] {
  return person.map(({ windowMs }) => sendsKey(channel, 'person', subject, windowMs))
}

function windowBy(channel: Channel) {
  return (
    name: LimitName,
    of: string,
    { limit, windowMs }: LimitWindow,
    takenBack: TakenBack,
  ): SendWindow => {
    return { name, key: sendsKey(channel, name, of, windowMs), limit, windowMs, ...takenBack }
  }
}

function sendsKey(channel: Channel, name: LimitName, of: string, windowMs: number): string {
  return keyOf(`${channel === 'call' ? 'calls' : 'sends'}-${name}`, of, String(windowMs))
}

/** Of one person or number, a day's window counts every message; shorter ones what is not verified. */
function ownWindow({ windowMs }: LimitWindow): TakenBack {
  return { backWhenVerified: windowMs < DAY, backWhenUnsent: false }
}

/**
 * A block of ten thousand numbers, as they are handed out to networks and then to companies: who
 * pumps owns whole blocks, and has no other people's numbers in them.
 */
function prefixOf(phone: string): string {
  return phone.slice(0, -4)
}
