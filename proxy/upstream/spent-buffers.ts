import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** In bytes. */
const MOST_SPENT = 16 * 1024 * 1024

setFlagsFromString('--expose-gc')
const collect: NodeJS.GCFunction = runInNewContext('gc')

let spent = 0

/**
 * For each piece of content that is handed on. V8 lets spent buffers lie until there are 64 MB of them,
 * and takes new pages from the system meanwhile; to collect the young ones sooner keeps memory small,
 * and takes half of the CPU time off a long transfer (bench/README.md).
 */
export function noteSpent(bytes: number): void {
  spent += bytes
  if (spent < MOST_SPENT) return
  spent = 0
  collect({ type: 'minor' })
}
