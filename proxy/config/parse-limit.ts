import type { LimitWindow } from './config.ts'
import { formatDuration, parseDuration } from './duration.ts'
import { ok, type Parsed, wrong } from './parsed.ts'

const MOST = 1_000_000
const SHORTEST = 60_000
const LONGEST = 30 * 86_400_000
const MOST_WINDOWS = 5

/**
 * Reads `10/15m,100/1d`: so many in so long, in each of the windows, sorted by length. There is no
 * word for "unlimited": a limit that nobody reaches says as much, and says a number.
 */
export function parseLimit(text: string): Parsed<readonly [LimitWindow, ...LimitWindow[]]> {
  const parts = text.split(/[\s,]+/).filter((part) => part !== '')
  const windows = parts.map(parseWindow)
  const problems = windows.filter((window) => typeof window === 'string')
  if (problems.length > 0) return wrong(...problems)
  const [first, ...rest] = windows
    .filter((window) => typeof window !== 'string')
    .sort((a, b) => a.windowMs - b.windowMs || b.limit - a.limit)
  if (first === undefined) return wrong('it holds no limit, as in 10/15m')
  const sorted = [first, ...rest] as const
  if (sorted.length > MOST_WINDOWS) return wrong(`it has more than ${MOST_WINDOWS} limits`)
  // A longer window that allows no more leaves the shorter one nothing to do.
  const idle = sorted.findIndex(({ limit }, at) => limit >= (sorted[at + 1]?.limit ?? Infinity))
  if (idle < 0) return ok(sorted)
  const [one = '', other] = sorted.slice(idle, idle + 2).map((window) => formatLimit([window]))
  return wrong(`${one} does nothing beside ${other}`)
}

function parseWindow(text: string): LimitWindow | string {
  const [, count = '', duration = ''] = /^(\d{1,7})\/(\w+)$/.exec(text) ?? []
  const limit = Number(count)
  const windowMs = parseDuration(duration)
  if (count === '' || windowMs === undefined) {
    return `${JSON.stringify(text)} is not of the form 10/15m (ten in 15 minutes)`
  }
  if (limit < 1 || limit > MOST) return `${JSON.stringify(text)} must allow 1 to ${MOST}`
  if (windowMs >= SHORTEST && windowMs <= LONGEST) return { limit, windowMs }
  const range = `${formatDuration(SHORTEST)} to ${formatDuration(LONGEST)}`
  return `${JSON.stringify(text)} must be for ${range}`
}

/** Writes what `parseLimit` reads. */
export function formatLimit(windows: readonly LimitWindow[]): string {
  return windows.map(({ limit, windowMs }) => `${limit}/${formatDuration(windowMs)}`).join(',')
}

/** Reads `50%` as 0.5. */
export function parseShare(text: string): Parsed<number> {
  const percent = /^(\d{1,2})%$/.exec(text)?.[1]
  return percent === undefined
    ? wrong('it must be a whole percentage from 0% to 99%')
    : ok(Number(percent) / 100)
}
