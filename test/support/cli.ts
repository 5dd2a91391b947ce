import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { keepLog } from './canaries.ts'

/** `stepgate …` as a process of its own. */
export type Cli = {
  readonly pid: number
  stdout(): string
  stderr(): string
  /** Resolves when standard output holds it; rejects when the process ends before. */
  until(pattern: RegExp): Promise<RegExpExecArray>
  signal(name: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): void
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
}

export type CliOptions = {
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Instead of this checkout; `proxy/main.ts` is below it. */
  readonly root?: string
  readonly cwd?: string
  readonly nodeArgs?: readonly string[]
}

/** Node's arguments for a program in which only timers of up to a second go off. */
export const SHORT_TIMERS = [
  '--import',
  pathToFileURL(join(import.meta.dirname, 'short-timers.ts')).href,
] as const

const ROOT = join(import.meta.dirname, '../..')

/** Starts `stepgate` with these arguments and nothing but `env` of `STEPGATE_`; ends with the test. */
export function startCli(
  t: { after(end: () => unknown): unknown },
  args: readonly string[],
  options: CliOptions = {},
): Cli {
  const { env = {}, root = ROOT, cwd = root, nodeArgs = [] } = options
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('STEPGATE_'))
  const child = spawn(process.execPath, [...nodeArgs, join(root, 'proxy/main.ts'), ...args], {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const text = { stdout: '', stderr: '' }
  const waiting = new Set<() => void>()
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (piece: string) => {
      text[name] += piece
      for (const look of waiting) look()
    })
  }
  const ended = once(child, 'close').then(([code, signal]) => {
    keepLog(`${text.stdout}\n${text.stderr}\n`)
    return (code ?? signal) as number | string
  })
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return {
    pid: child.pid ?? 0,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    signal: (name) => child.kill(name),
    ended,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(text.stdout)
          if (found === null) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        look()
        ended.then((code) => reject(new Error(`ended with ${code} before: ${text.stderr}`)))
      }),
  }
}

/** Runs `stepgate` to its end. */
export async function runCli(t: TestContext, args: readonly string[], options: CliOptions = {}) {
  const cli = startCli(t, args, options)
  const code = await cli.ended
  return { code, stdout: cli.stdout(), stderr: cli.stderr() }
}
