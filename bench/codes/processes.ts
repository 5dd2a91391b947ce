import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { demoTwilio } from '../../demo/demo-environment.ts'
import { freePort } from '../../test/support/free-port.ts'
import { until } from '../../test/support/until.ts'
import { CLIENT } from './provider.ts'

/** A process that was started here. `stop` ends it and may be called twice. */
export type Started = { readonly origin: string; stop(): Promise<void> }

/** A stepgate of its own. */
export type Stepgate = Started & {
  /** ms on a CPU since it was started, all its threads together. */
  cpu(): Promise<number>
}

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
export async function startStepgate(store: string, standIns: string): Promise<Stepgate> {
  const origin = `http://127.0.0.1:${await freePort()}`
  const program = [
    process.execPath,
    ...process.execArgv,
    '--import',
    join(import.meta.dirname, 'report-usage.ts'),
    join(ROOT, 'proxy/main.ts'),
    'start',
  ]
  const child = launch([...onOneCore(), ...program], {
    STEPGATE_PUBLIC_URL: origin,
    STEPGATE_LISTEN: new URL(origin).host,
    STEPGATE_UPSTREAM: standIns,
    STEPGATE_SESSION_SECRET: 'a-session-secret-of-the-bench-0001',
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
  })
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`stepgate ended with ${child.exitCode}`)
    const ready = await fetch(`${origin}/_stepgate/readyz`).catch(() => undefined)
    return ready?.ok === true
  })
  return {
    origin,
    async cpu() {
      const used = ask<NodeJS.CpuUsage>(child)
      child.send('usage')
      const { user, system } = await used
      return (user + system) / 1000
    },
    stop: () => end(child),
  }
}

/** A command that binds what follows it to one core; empty where there is none. */
export function onOneCore(): readonly string[] {
  try {
    const affinity = execFileSync('taskset', ['-cp', String(process.pid)], { encoding: 'utf8' })
    const core = /(\d+)\s*$/.exec(affinity)?.[1]
    return core === undefined ? [] : ['taskset', '-c', core]
  } catch {
    return []
  }
}

function launch([command = '', ...args]: readonly string[], env: Record<string, string>) {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('STEPGATE_'))
  const child = spawn(command, args, {
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  return child
}

/** The next message of a child; rejects when it ends without one. */
function ask<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error(`${child.spawnfile} ended with ${child.exitCode}`))
    child.once('exit', ended)
    child.once('message', (message) => {
      child.off('exit', ended)
      resolve(message as T)
    })
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}
