import cluster from 'node:cluster'
import type { Config, Secrets } from '../config/config.ts'
import { createLog } from '../log.ts'
import { type Stepgate, startStepgate } from '../start.ts'
import { stopOnUnexpected } from '../stop-on-unexpected.ts'
import { answerWithReadings } from './gather-readings.ts'

/** What a worker tells its supervisor once it takes requests. */
export type Listening = { readonly kind: 'listening'; readonly address: string }

/**
 * Serves as one of several processes, with its number in every log line, and tells the supervisor
 * when it listens, and what it has measured when it is asked. Rejects as `startStepgate`. Node ends the process when the supervisor is gone.
 */
export async function serveAsWorker(config: Config, secrets: Secrets): Promise<Stepgate> {
  const log = createLog(config.log, undefined, { worker: cluster.worker?.id, pid: process.pid })
  stopOnUnexpected(log, 'worker')
  const stepgate = await startStepgate(config, secrets, { log }, 'worker')
  if (stepgate.meter !== undefined) answerWithReadings(stepgate.meter)
  const message: Listening = { kind: 'listening', address: stepgate.address }
  // What the supervisor says of it stands below what it says itself.
  await log.flush()
  process.send?.(message)
  return stepgate
}
