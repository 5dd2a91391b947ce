import type { Config, Secrets } from './config/config.ts'
import { createContext, type Overrides } from './context.ts'
import { createLog } from './log.ts'
import { openFrontDoor } from './server.ts'

/** A running stepgate. */
export type Stepgate = { readonly address: string; close(): Promise<void> }

/**
 * Starts stepgate; rejects when the address, the store, the pages or the certificate can't be used.
 * `as` is what the log calls this process.
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
  try {
    const door = await openFrontDoor(context)
    log.info(`${as} is listening`, { address: door.address, public_url: config.publicUrl.href })
    return {
      address: door.address,
      async close() {
        log.info(`${as} is stopping: requests in flight end, new ones are refused`)
        await door.close()
        await context.close()
        log.info(`${as} has stopped`)
        await log.flush()
      },
    }
  } catch (error) {
    await context.close()
    throw error
  }
}
