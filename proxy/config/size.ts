const UNITS = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 } as const

/** Reads `64KB`, `10MB` or `2GB` as bytes (1 KB is 1,024); undefined when it is written otherwise. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,6})([KMG]?B)$/i.exec(text)
  return match ? Number(match[1]) * UNITS[match[2]?.toUpperCase() as keyof typeof UNITS] : undefined
}

/** Writes bytes in the largest unit that holds them whole; `parseSize` reads it back. */
export function formatSize(bytes: number): string {
  const unit =
    (['GB', 'MB', 'KB'] as const).find((name) => bytes > 0 && bytes % UNITS[name] === 0) ?? 'B'
  return `${bytes / UNITS[unit]}${unit}`
}
