#!/usr/bin/env node
import { checkParts } from './check.ts'
import { describeConfig } from './config/describe-config.ts'
import { readEnvironment } from './config/environment.ts'
import { EXIT_CONFIG, formatProblems } from './config/format-problems.ts'
import { type LoadedConfig, loadConfig } from './config/load-config.ts'
import { isHealthy } from './healthcheck.ts'
import { startStepgate } from './start.ts'

const USAGE = `stepgate start    start the proxy
stepgate check    try the configuration, the provider, LDAP, Twilio and the application
stepgate config   print the effective configuration, secrets masked
stepgate demo     start a demo of everything on this machine
`

type Usable = Extract<LoadedConfig, { kind: 'ok' }>

async function main(command: string | undefined): Promise<void> {
  switch (command) {
    case 'start':
      return withConfig(start)
    case 'check':
      return withConfig(async ({ config, secrets }) => {
        if (!(await checkParts(config, secrets, print))) process.exitCode = 1
      })
    case 'config':
      return withConfig(async ({ config, secrets }) =>
        print(describeConfig(config, secrets).trimEnd()),
      )
    case 'healthcheck':
      return withConfig(async ({ config }) => {
        if (!(await isHealthy(config))) process.exitCode = 1
      })
    case 'demo':
      return demo()
    default:
      process.stderr.write(USAGE)
      process.exitCode = 64
  }
}

async function withConfig(use: (loaded: Usable) => Promise<void>): Promise<void> {
  const loaded = loadConfig(readEnvironment())
  if (loaded.kind === 'ok') return use(loaded)
  process.stderr.write(formatProblems(loaded.problems))
  process.exitCode = EXIT_CONFIG
}

async function start({ config, secrets, warnings }: Usable): Promise<void> {
  for (const warning of warnings) process.stderr.write(`${warning}\n`)
  const stepgate = await startStepgate(config, secrets)
  onStopSignal(() => stepgate.close())
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
    throw new Error('The demo needs a checkout with its development dependencies: npm ci', {
      cause,
    })
  }
}

/** The first signal lets requests in flight end, the second does not. */
function onStopSignal(stop: () => Promise<void>): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      process.once(signal, () => process.exit(1))
      stop().then(
        () => process.exit(0),
        () => process.exit(1),
      )
    })
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

try {
  await main(process.argv[2])
} catch (error) {
  // What can go wrong at start is an address, a file or a folder: its message is for the operator.
  const cause =
    error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : ''
  process.stderr.write(`stepgate: ${error instanceof Error ? error.message : error}${cause}\n`)
  process.exitCode = 1
}
