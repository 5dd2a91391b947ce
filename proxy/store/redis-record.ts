import type { StrikeRecord, WindowRecord } from './counting.ts'
import type { RedisReply } from './redis-connection.ts'

/** Infinity as a number that Lua reads on every machine, and that no clock reaches. */
export const FOREVER = 1e300

/** A time or a limit as text that Lua's `tonumber` takes. */
export function writeNumber(value: number): string {
  return String(value === Number.POSITIVE_INFINITY ? FOREVER : value)
}

/** What `writeNumber` or a script wrote. */
export function readNumber(text: unknown): number {
  const value = Number(text)
  return value >= FOREVER ? Number.POSITIVE_INFINITY : value
}

/** In ms. How long Redis keeps what has expired: the clocks of several machines differ a little. */
export const MARGIN = 300_000

const MAX_LIFE = 1e14

/** What ends a SET, so that what nobody takes goes by itself. */
export function lifeOf(expiresAt: number, now: number): readonly string[] {
  const life = Math.max(expiresAt - now, 0) + MARGIN
  return life > MAX_LIFE ? [] : ['PX', life.toFixed(0)]
}

/** A value as it is kept: its end, a space, itself. The scripts read it, too. */
export function writeRecord(value: string, expiresAt: number): string {
  return `${writeNumber(expiresAt)} ${value}`
}

/** The value of a record that has not expired. */
export function readRecord(record: RedisReply, now: number): string | undefined {
  if (typeof record !== 'string') return undefined
  const space = record.indexOf(' ')
  return readNumber(record.slice(0, space)) > now ? record.slice(space + 1) : undefined
}

/** What the script of strikes wrote. */
export function readStrikeRecord(record: RedisReply): StrikeRecord | undefined {
  if (typeof record !== 'string') return undefined
  const [count = 0, until = 0, expiresAt = 0] = record.split(' ').map(readNumber)
  return { count, until, expiresAt }
}

/** What the scripts of windows wrote. */
export function readWindowRecord(record: RedisReply): WindowRecord | undefined {
  if (typeof record !== 'string') return undefined
  const [count = 0, endsAt = 0] = record.split(' ').map(readNumber)
  return { count, endsAt }
}
