import type { Config } from '../config/config.ts'
import { limitsOf } from '../otp/send-limits.ts'
import type { SmsAlarms } from '../otp/sms-alarms.ts'
import type { Meter } from './meter.ts'

const CHANNELS = ['sms', 'call'] as const

/** Has the budgets and the codes of the last hour in each reading; the store is asked for them then. */
export function watchBudgets(
  meter: Meter,
  alarms: Pick<SmsAlarms, 'read'>,
  config: Pick<Config, 'smsLimits' | 'voiceLimits'>,
  clock: () => number,
): void {
  const limits = limitsOf(config)
  for (const channel of CHANNELS) meter.set('stepgate_budget', { channel }, limits[channel].budget)
  meter.beforeReading(async () => {
    const found = await alarms.read(clock()).catch(() => undefined)
    for (const channel of CHANNELS) {
      meter.set('stepgate_budget_used', { channel }, found?.used[channel])
    }
    meter.set('stepgate_recent_codes', { state: 'made' }, found?.share.codes)
    meter.set('stepgate_recent_codes', { state: 'verified' }, found?.share.verified)
  })
}
