import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** In ms; then it is killed. */
const PATIENCE = 10_000

/** Ends a server that was started, stopped by a signal or not, and waits for it. */
export async function endProcess(
  child: ChildProcess,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  child.kill('SIGCONT')
  const stuck = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
  await exited
  clearTimeout(stuck)
}
