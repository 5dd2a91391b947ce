import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** What a process and all that it has started have used. */
export type Usage = {
  /** ms on a CPU, for themselves and in the system for them. */
  readonly cpu: number
  /** Resident memory in MB, now. */
  readonly memory: number
}

const TICK_MS = 1000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

type Row = Usage & { readonly pid: number; readonly parent: number }

/** Reads it from /proc, as Linux has it (proc_pid_stat(5)). */
export function usageOf(pid: number): Usage {
  const rows = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readRow(Number(name)))
  const tree = new Set([pid])
  for (let size = 0; size !== tree.size; ) {
    size = tree.size
    for (const row of rows) if (tree.has(row.parent)) tree.add(row.pid)
  }
  let cpu = 0
  let memory = 0
  for (const row of rows) {
    if (!tree.has(row.pid)) continue
    cpu += row.cpu
    memory += row.memory
  }
  return { cpu, memory }
}

function readRow(pid: number): Row[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [resident = ''] =
      /(?<=VmRSS:\s*)\d+/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return [
      {
        pid,
        parent: Number(fields[1]),
        cpu: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
        memory: Number(resident) / 1024,
      },
    ]
  } catch {
    // It has ended in the meantime.
    return []
  }
}
