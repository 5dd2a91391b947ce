import { availableParallelism } from 'node:os'
import type { Config } from '../config/config.ts'

/** How many processes serve; `auto` is one for each core that this process may use. */
export function workerCount(workers: Config['workers'], cores = availableParallelism()): number {
  return workers === 'auto' ? cores : workers
}
