import type { IOType } from 'node:child_process'
import { join } from 'node:path'
import type { Stream } from 'node:stream'
import { demoTwilio } from '../../demo/demo-environment.ts'
import { freePorts } from '../../test/support/free-ports.ts'
import { until } from '../../test/support/until.ts'
import { ask, end, launch, onOneCore, type Started } from '../processes.ts'
import { CLIENT } from './provider.ts'

/** A stepgate of its own. */
export type Stepgate = Started & {
  readonly pid: number
  /** ms on a CPU since it was started, all its threads together. */
  cpu(): Promise<number>
  /** In bytes, after a collection of garbage. */
  memory(): Promise<NodeJS.MemoryUsage>
}

/** What may be otherwise with a stepgate. */
export type StepgateOptions = {
  /** In addition, or instead. */
  readonly env?: Readonly<Record<string, string>>
  readonly stdout?: IOType | Stream | number
  /** A command that binds it to cores. */
  readonly on?: readonly string[]
}

/** Of every stepgate here. */
export const SESSION_SECRET = 'a-session-secret-of-the-bench-0001'

const ROOT = join(import.meta.dirname, '../..')

/** Starts provider and stand-in for Twilio. */
export async function startStandIns(): Promise<Started> {
  const child = launch([process.execPath, join(import.meta.dirname, 'stand-ins.ts')], {})
  const { origin } = await ask<{ origin: string }>(child)
  return { origin, stop: () => end(child) }
}

/**
 * Starts `stepgate start` with this store, with the stand-ins around it and a budget that does not
 * end; on one core where that can be chosen. Resolves when it is ready.
 */
export async function startStepgate(
  store: string,
  standIns: string,
  { env, stdout = 'ignore', on = onOneCore() }: StepgateOptions = {},
): Promise<Stepgate> {
  const port = await freePorts(2)
  const origin = `http://127.0.0.1:${port}`
  const program = [
    process.execPath,
    ...process.execArgv,
    '--import',
    join(import.meta.dirname, 'report-usage.ts'),
    join(ROOT, 'proxy/main.ts'),
    'start',
  ]
  const settings = {
    STEPGATE_PUBLIC_URL: origin,
    STEPGATE_LISTEN: new URL(origin).host,
    STEPGATE_METRICS_LISTEN: `127.0.0.1:${port + 1}`,
    STEPGATE_UPSTREAM: standIns,
    STEPGATE_SESSION_SECRET: SESSION_SECRET,
    STEPGATE_OIDC_ISSUER: standIns,
    STEPGATE_OIDC_CLIENT_ID: CLIENT.id,
    STEPGATE_OIDC_CLIENT_SECRET: CLIENT.secret,
    STEPGATE_OIDC_SCOPES: 'openid profile email phone',
    STEPGATE_TWILIO_SID: demoTwilio.accountSid,
    STEPGATE_TWILIO_TOKEN: demoTwilio.authToken,
    STEPGATE_TWILIO_FROM_NUMBER: '+4930123456',
    STEPGATE_TWILIO_API_URL: standIns,
    STEPGATE_STORE: store,
    STEPGATE_SMS_BUDGET: '100000000',
    ...env,
  }
  const child = launch([...on, ...program], settings, ['ignore', stdout, 'inherit', 'ipc'])
  // A log that nobody reads would stand still.
  child.stdout?.resume()
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`stepgate ended with ${child.exitCode}`)
    const ready = await fetch(`${origin}/_stepgate/readyz`).catch(() => undefined)
    return ready?.ok === true
  })
  return {
    origin,
    pid: child.pid ?? 0,
    async cpu() {
      const used = ask<NodeJS.CpuUsage>(child)
      child.send('usage')
      const { user, system } = await used
      return (user + system) / 1000
    },
    memory() {
      const used = ask<NodeJS.MemoryUsage>(child)
      child.send('memory')
      return used
    },
    stop: () => end(child),
  }
}
