#!/usr/bin/env node
import type { Config } from './config/config.ts'
import { readEnvironment } from './config/environment.ts'
import { EXIT_CONFIG, formatProblems } from './config/format-problems.ts'
import { type LoadedConfig, loadConfig } from './config/load-config.ts'
import type { Log } from './log.ts'

const USAGE = `stepgate start           start the proxy
stepgate check           try the provider, the numbers, Twilio, the application and the store
stepgate config          print the effective configuration, secrets masked
stepgate unlock SUBJECT  let a person try again who is locked for wrong codes
stepgate healthcheck     ask the stepgate of this configuration whether it is alive
stepgate demo            start a demo of everything on this machine

It is configured by environment variables; README.md describes each.
`

/** EX_USAGE of sysexits.h. */
const EXIT_USAGE = 64

type Usable = Extract<LoadedConfig, { kind: 'ok' }>

async function main(command: string | undefined, others: readonly string[]): Promise<void> {
  if (command === 'unlock') return unlockSubject(others)
  if (others.length > 0) return refuseUsage(`${command} takes no arguments`)
  // Each imports what it needs itself: a container's health check runs every few seconds.
  switch (command) {
    case 'start':
      return withConfig(start)
    case 'check':
      return withConfig(check)
    case 'config':
      return withConfig(describe)
    case 'healthcheck':
      return withConfig(checkHealth)
    case 'demo':
      return demo()
    case 'help':
    case '--help':
    case '-h':
      return print(USAGE.trimEnd())
    default:
      return refuseUsage(command === undefined ? 'say what to do' : `there is no ${command}`)
  }
}

function refuseUsage(problem: string): void {
  complain(`${problem}\n\n${USAGE.trimEnd()}`)
  process.exitCode = EXIT_USAGE
}

async function withConfig(use: (loaded: Usable) => Promise<void>): Promise<void> {
  const loaded = loadConfig(readEnvironment())
  if (loaded.kind === 'ok') return use(loaded)
  process.stderr.write(formatProblems(loaded.problems))
  process.exitCode = EXIT_CONFIG
}

async function describe({ config, secrets }: Usable): Promise<void> {
  const { describeConfig } = await import('./config/describe-config.ts')
  print(describeConfig(config, secrets).trimEnd())
}

async function checkHealth({ config }: Usable): Promise<void> {
  const { isHealthy } = await import('./healthcheck.ts')
  if (!(await isHealthy(config))) process.exitCode = 1
}

async function check({ config, secrets, warnings }: Usable): Promise<void> {
  const { checkParts } = await import('./check.ts')
  for (const warning of warnings) print(`warning  ${warning}`)
  if (!(await checkParts(config, secrets, print))) process.exitCode = 1
}

async function unlockSubject(subjects: readonly string[]): Promise<void> {
  const [subject] = subjects
  if (!subject || subjects.length > 1) {
    return refuseUsage('unlock takes one subject, as the log names it')
  }
  return withConfig(async ({ config, secrets }) => {
    const { createLog } = await import('./log.ts')
    const { unlock } = await import('./unlock.ts')
    // Standard output is for whoever asks; who collects the log finds the event here.
    const log = createLog(config.log, { write: (line) => process.stderr.write(line) })
    print(await unlock(config, secrets, subject, { log, now: Date.now() }))
  })
}

async function start({ config, secrets, warnings }: Usable): Promise<void> {
  const { isWorker } = await import('node:cluster')
  if (isWorker) {
    const { serveAsWorker } = await import('./workers/serve-as-worker.ts')
    const worker = await serveAsWorker(config, secrets)
    return onStopSignal(() => worker.close())
  }
  const { createLog } = await import('./log.ts')
  const { stopOnUnexpected } = await import('./stop-on-unexpected.ts')
  const { workerCount } = await import('./workers/worker-count.ts')
  for (const warning of warnings) complain(`warning: ${warning}`)
  const log = createLog(config.log)
  stopOnUnexpected(log)
  const workers = workerCount(config.workers)
  if (workers > 1) return supervise(workers, config, log)
  const { startStepgate } = await import('./start.ts')
  const stepgate = await startStepgate(config, secrets, { log })
  onStopSignal(() => stepgate.close())
}

async function supervise(workers: number, config: Config, log: Log): Promise<void> {
  const metrics = await openSumOfMetrics(config, log)
  const { superviseWorkers } = await import('./workers/supervise-workers.ts')
  const supervisor = superviseWorkers(workers, log, (address) =>
    log.info('stepgate is listening', { address, public_url: config.publicUrl.href, workers }),
  )
  const stop = async () => {
    log.info('stepgate is stopping: requests in flight end, new ones are refused')
    supervisor.stop()
    await supervisor.ended
    log.info('stepgate has stopped')
    await log.flush()
  }
  onStopSignal(stop, supervisor.kill)
  process.exitCode = await supervisor.ended
  await metrics?.close()
}

async function openSumOfMetrics({ metrics }: Config, log: Log) {
  if (metrics === undefined) return undefined
  const { serveSum } = await import('./workers/serve-sum.ts')
  return serveSum(metrics, log)
}

async function demo(): Promise<void> {
  const { startDemo, demoGreeting } = await importDemo()
  const running = await startDemo({ env: readEnvironment() })
  print(demoGreeting(running))
  onStopSignal(() => running.close())
}

async function importDemo() {
  try {
    return await import('../demo/start-demo.ts')
  } catch (cause) {
    const { StartError } = await import('./explain-failure.ts')
    const needs = 'the demo needs a checkout with its development dependencies: run npm ci there'
    throw new StartError(needs, cause)
  }
}

const SAME_SIGNAL_MS = 500

/** The first signal lets requests in flight end, a second one does not. */
function onStopSignal(stop: () => Promise<void>, kill = () => {}): void {
  let first: number | undefined
  const onSignal = () => {
    if (first === undefined) {
      first = Date.now()
      stop().then(
        () => process.exit(0),
        () => process.exit(1),
      )
      // npm passes on a Ctrl-C that the terminal has given to this process already.
    } else if (Date.now() - first > SAME_SIGNAL_MS) {
      kill()
      process.exit(1)
    }
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function complain(line: string): void {
  process.stderr.write(`stepgate: ${line}\n`)
}

const [command, ...others] = process.argv.slice(2)
try {
  await main(command, others)
} catch (error) {
  const { explainFailure } = await import('./explain-failure.ts')
  complain(explainFailure(error, command === 'demo' ? 'STEPGATE_DEMO_PORT' : 'STEPGATE_LISTEN'))
  // What has been started already would keep the process alive without a door.
  process.exit(1)
}
