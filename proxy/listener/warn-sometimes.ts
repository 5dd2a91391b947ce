import type { Log } from '../log.ts'

// In ms: whoever scans a network makes a line a minute, not one a connection.
const BETWEEN_WARNINGS = 60_000

/** Warns of connections that were cut off, and says how many there were since it was last said. */
export function warnSometimes(
  { clock, log }: { readonly clock: () => number; readonly log: Pick<Log, 'warn'> },
  message: string,
): (client: string, reason: string) => void {
  let since = 0
  let quietUntil = 0
  return (client, reason) => {
    since++
    const now = clock()
    if (now < quietUntil) return
    log.warn(message, { client, reason, connections: since })
    since = 0
    quietUntil = now + BETWEEN_WARNINGS
  }
}
