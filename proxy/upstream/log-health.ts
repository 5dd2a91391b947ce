import { describeError, type Log } from '../log.ts'
import type { HealthEvent } from './upstream-group.ts'

/** Says which address of an application is passed over, for how long and why, and when it is back. */
export function logHealth(log: Log, event: HealthEvent): void {
  const { kind, name: upstream } = event
  if (kind === 'back') {
    log.info('An address of the application answers again', { upstream })
  } else {
    const fields = { upstream, wait_ms: event.wait, ...describeError(event.error) }
    log.warn('An address of the application fails and is passed over for a while', fields)
  }
}
