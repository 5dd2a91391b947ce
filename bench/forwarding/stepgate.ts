import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { createFlows } from '../codes/code-flow.ts'
import { type Stepgate, type StepgateOptions, startStepgate } from '../codes/processes.ts'
import { onCores } from '../processes.ts'
import type { Setting } from './setting.ts'

/** As an installation may have them: the one that applies to the page that is measured is the ninth. */
const RULES = [
  'public /assets/** /favicon.ico',
  'public /robots.txt /.well-known/**',
  'twilio_sms /payroll/** max_age=15m groups=payroll',
  'twilio_sms POST,PUT,DELETE /api/**',
  'basic /reports/** groups=staff,finance',
  'basic /people/*/photo',
  'deny /internal/**',
  'twilio_sms /admin/** groups=admins',
  'twilio_sms /small groups=staff',
  'basic /help/**',
].join('\n')

/** Of a sealed session: longer than the bench takes, so that no cookie is written anew. */
const TIMES = { STEPGATE_SESSION_IDLE: '10h', STEPGATE_SESSION_LIFETIME: '12h' }

/** Starts a stepgate before the application, as `stepgate start` does, but without an access log. */
export async function startMeasured(
  setting: Setting,
  env: Readonly<Record<string, string>> = {},
  options: Pick<StepgateOptions, 'stdout' | 'on'> = {},
): Promise<Stepgate> {
  const store = `sqlite:${await mkdtemp(join(setting.folder, 'stepgate-'))}/stepgate.db`
  return startStepgate(store, setting.standIns, {
    on: onCores(setting.cores.measured),
    ...options,
    env: {
      STEPGATE_UPSTREAM: setting.application,
      STEPGATE_ACCESS_LOG: 'off',
      STEPGATE_RULES: RULES,
      ...TIMES,
      ...env,
    },
  })
}

/** Signs a person in, with the code of an SMS; the request's Cookie header. */
export async function signIn({ origin }: Stepgate, { standIns }: Setting): Promise<string> {
  const flows = createFlows(origin, standIns)
  const arrival = await flows.arrive(1)
  await flows.finish(arrival)
  await flows.close()
  return [...arrival.cookies].map((pair) => pair.join('=')).join('; ')
}
