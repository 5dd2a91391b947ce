import type { Config } from './config.ts'
import { formatDuration } from './duration.ts'
import type { Report, Settings } from './settings.ts'

/** The session's limits; idle can't be longer than the whole life. */
export function readSession({ values }: Settings, report: Report): Config['session'] | undefined {
  const { SESSION_IDLE: idle, SESSION_LIFETIME: lifetime } = values
  const { SESSION_RECHECK: recheck, SESSION_RECHECK_GRACE: recheckGrace } = values
  if (idle === undefined || lifetime === undefined) return undefined
  if (recheck === undefined || recheckGrace === undefined) return undefined
  if (idle > lifetime) {
    report(
      'SESSION_IDLE',
      `is ${formatDuration(idle)}, longer than STEPGATE_SESSION_LIFETIME (${formatDuration(lifetime)})`,
    )
  }
  return { idle, lifetime, recheck, recheckGrace }
}
