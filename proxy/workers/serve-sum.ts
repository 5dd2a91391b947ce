import type { MetricsSettings } from '../config/config.ts'
import type { Log } from '../log.ts'
import { CONTENT_TYPE, exposeSum, keepTotals } from '../metrics/meter-prom.ts'
import { type MetricsDoor, serveMetrics } from '../metrics/serve-metrics.ts'
import { gatherReadings } from './gather-readings.ts'

/** Serves, in the supervisor, what all workers have measured together. Throws a `StartError`. */
export function serveSum(settings: MetricsSettings, log: Log): Promise<MetricsDoor | undefined> {
  const gather = gatherReadings(keepTotals)
  const text = async () => exposeSum(await gather())
  return serveMetrics(settings, { contentType: CONTENT_TYPE, text }, log)
}
