import type { ListenAddress } from '../config/config.ts'
import type { Log } from '../log.ts'
import { CONTENT_TYPE, exposeSum, keepTotals } from '../metrics/meter-prom.ts'
import { type MetricsDoor, serveMetrics } from '../metrics/serve-metrics.ts'
import { gatherReadings } from './gather-readings.ts'

/** Serves, in the supervisor, what all workers have measured together. Throws a `StartError`. */
export function serveSum(address: ListenAddress, log: Log): Promise<MetricsDoor> {
  const gather = gatherReadings(keepTotals)
  const text = async () => exposeSum(await gather())
  return serveMetrics(address, { contentType: CONTENT_TYPE, text }, log)
}
