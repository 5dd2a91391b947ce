/**
 * Loaded into a stepgate before it starts: answers the parent's messages with its CPU use, or with
 * its memory after a collection of garbage.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

process.on('message', (asked) => process.send?.(asked === 'memory' ? memory() : process.cpuUsage()))
process.channel?.unref()
process.once('disconnect', () => process.exit())

function memory(): NodeJS.MemoryUsage {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  // What the first finds to be finalized, the second frees.
  collect()
  collect()
  return process.memoryUsage()
}
