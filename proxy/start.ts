import type { Config, Secrets } from './config/config.ts'
import { type Context, createContext, type Overrides } from './context.ts'
import { createLog } from './log.ts'
import type { Meter } from './metrics/meter.ts'
import { type MetricsDoor, serveMetrics } from './metrics/serve-metrics.ts'
import { openFrontDoor } from './server.ts'

/** A running stepgate. */
export type Stepgate = {
  readonly address: string
  /** Of this process; absent when metrics are off. */
  readonly meter: Meter | undefined
  close(): Promise<void>
}

/**
 * Starts stepgate; rejects when an address, the store, the pages or the certificate can't be used.
 * `as` is what the log calls this process; the metrics of a worker are served by its supervisor.
 */
export async function startStepgate(
  config: Config,
  secrets: Secrets,
  overrides: Overrides = {},
  as: 'stepgate' | 'worker' = 'stepgate',
): Promise<Stepgate> {
  const log = overrides.log ?? createLog(config.log)
  log.info('Twilio SMS. Initialization')
  const context = await createContext(config, secrets, { ...overrides, log })
  log.info('Twilio SMS. Initialized successfully', {
    account: config.twilio.accountSid,
    from: config.twilio.from.kind,
    countries: config.smsCountries.join(' '),
    delivery_reports: config.twilio.statusCallback !== undefined,
  })
  let metrics: MetricsDoor | undefined
  try {
    if (as === 'stepgate') metrics = await openMetrics(context)
    const door = await openFrontDoor(context)
    log.info(`${as} is listening`, { address: door.address, public_url: config.publicUrl.href })
    return {
      address: door.address,
      meter: context.meter,
      async close() {
        log.info(`${as} is stopping: requests in flight end, new ones are refused`)
        await door.close()
        await metrics?.close()
        await context.close()
        log.info(`${as} has stopped`)
        await log.flush()
      },
    }
  } catch (error) {
    await metrics?.close()
    await context.close()
    throw error
  }
}

async function openMetrics({ config, meter, log }: Context): Promise<MetricsDoor | undefined> {
  if (config.metrics === undefined || meter === undefined) return undefined
  return serveMetrics(config.metrics, meter.exposition, log)
}
