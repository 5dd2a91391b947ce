import type { Log } from '../log.ts'
import { sometimes } from '../sometimes.ts'

/** Warns of connections that were cut off, and says how many there were since it was last said. */
export function warnSometimes(
  { clock, log }: { readonly clock: () => number; readonly log: Pick<Log, 'warn'> },
  message: string,
): (client: string, reason: string) => void {
  const warn = sometimes((cause: { client: string; reason: string }, connections) =>
    log.warn(message, { ...cause, connections }),
  )
  return (client, reason) => warn({ client, reason }, clock())
}
