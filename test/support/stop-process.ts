import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** SIGSTOP, and waits until no thread runs any more: the signal alone takes effect a little later. */
export function stopProcess(child: ChildProcess): void {
  child.kill('SIGSTOP')
  const tasks = `/proc/${child.pid}/task`
  const isStopped = (task: string) =>
    / [tTXZ] /.test(readFileSync(`${tasks}/${task}/stat`, 'utf8').replace(/^.*\)/s, ''))
  while (!readdirSync(tasks).every(isStopped)) {}
}
