import type { Config } from '../config/config.ts'
import type { Meter } from './meter.ts'

/** The meter of this process; undefined, and nothing of it loaded, when metrics are off. */
export async function openMeter({ metrics }: Pick<Config, 'metrics'>): Promise<Meter | undefined> {
  if (metrics === undefined) return undefined
  const { createPromMeter } = await import('./meter-prom.ts')
  return createPromMeter()
}
