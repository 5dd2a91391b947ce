const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Reads `30s`, `5m`, `8h` or `2d` as milliseconds; undefined when it is written otherwise. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,6})([smhd])$/.exec(text)
  return match ? Number(match[1]) * UNITS[match[2] as keyof typeof UNITS] : undefined
}

/** Writes milliseconds in the largest unit that holds them whole; `parseDuration` reads it back. */
export function formatDuration(ms: number): string {
  const unit = (['d', 'h', 'm'] as const).find((name) => ms > 0 && ms % UNITS[name] === 0) ?? 's'
  return `${ms / UNITS[unit]}${unit}`
}
