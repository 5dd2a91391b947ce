import { type ChildProcess, execFileSync, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'

/** A process that was started here. `stop` ends it and may be called twice. */
export type Started = { readonly origin: string; stop(): Promise<void> }

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill()
})

/** Starts a command that ends with this process; stepgate's variables are not inherited. */
export function launch(
  [command = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>> = {},
  stdio: StdioOptions = ['ignore', 'ignore', 'inherit', 'ipc'],
): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('STEPGATE_'))
  const child = spawn(command, args, { env: { ...Object.fromEntries(inherited), ...env }, stdio })
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** The next message of a child; rejects when it ends without one. */
export function ask<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error(`${child.spawnfile} ended with ${child.exitCode}`))
    child.once('exit', ended)
    child.once('message', (message) => {
      child.off('exit', ended)
      resolve(message as T)
    })
  })
}

/** Ends a child gently and waits for it. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}

/** The cores that this process may use; none where `taskset` is missing. */
export function usableCores(): readonly number[] {
  try {
    const said = execFileSync('taskset', ['-cp', String(process.pid)], { encoding: 'utf8' })
    return (/: (.*)/.exec(said)?.[1] ?? '').split(',').flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map(Number)
      return Array.from({ length: last - first + 1 }, (_, index) => first + index)
    })
  } catch {
    return []
  }
}

/** A command that binds what follows it to these cores; empty for none. */
export function onCores(cores: readonly number[]): readonly string[] {
  return cores.length === 0 ? [] : ['taskset', '-c', cores.join(',')]
}

/** A command that binds what follows it to one core; empty where there is none. */
export function onOneCore(): readonly string[] {
  return onCores(usableCores().slice(-1))
}

/** Binds a running process, with all its threads, to these cores. */
export function bindTo(pid: number, cores: readonly number[]): void {
  if (cores.length > 0) execFileSync('taskset', ['-acp', cores.join(','), String(pid)])
}
