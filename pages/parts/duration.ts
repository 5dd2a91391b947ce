import type { PageFrame } from '../page.ts'

/** A duration in the visitor's language, in one unit, rounded up: `45 seconds`, `2 minutes`, `24 hours`. */
export function duration(frame: PageFrame, seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds))
  if (whole < 90) return inUnit(frame, whole, 'second')
  const minutes = Math.ceil(whole / 60)
  return minutes < 90
    ? inUnit(frame, minutes, 'minute')
    : inUnit(frame, Math.ceil(minutes / 60), 'hour')
}

/** The same rounded down, for what ends: it never promises more than there is. */
export function remaining(frame: PageFrame, seconds: number): string {
  return seconds < 60
    ? inUnit(frame, Math.max(1, Math.floor(seconds)), 'second')
    : inUnit(frame, Math.floor(seconds / 60), 'minute')
}

type Unit = 'second' | 'minute' | 'hour'

function inUnit({ lang }: PageFrame, count: number, unit: Unit): string {
  const key = `${lang} ${unit}`
  const format =
    formats.get(key) ?? new Intl.NumberFormat(lang, { style: 'unit', unit, unitDisplay: 'long' })
  formats.set(key, format)
  return format.format(count)
}

// To make one takes far longer than to use it; languages are those of the locales folder.
const formats = new Map<string, Intl.NumberFormat>()
