import cluster, { type Worker } from 'node:cluster'
import type { Log } from '../log.ts'
import { type Replacement, replaceAfter } from './replacement-delay.ts'
import type { Listening } from './serve-as-worker.ts'

/** The processes of one stepgate, seen from the one that starts them and serves nobody. */
export type Supervisor = {
  /**
   * Resolves with an exit code when no worker is left: after `stop`, or when the first could not
   * start at all.
   */
  readonly ended: Promise<number>
  /** Lets the requests in flight of every worker end. */
  stop(): void
  /** Ends every worker at once. */
  kill(): void
}

// In ms: a worker gives its requests 30 s by itself.
const STOP_PATIENCE = 35_000

/**
 * Starts `count` workers, which run this same program, and replaces each that ends. The first one
 * starts alone: a configuration that can't start says so once, and only one process takes over an
 * abandoned socket. `onListening` is called once, when all of them listen.
 */
export function superviseWorkers(
  count: number,
  log: Log,
  onListening: (address: string) => void,
): Supervisor {
  // Node's round robin hands connections to a worker that has just died, where they hang for ever.
  cluster.schedulingPolicy = cluster.SCHED_NONE
  const { promise: ended, resolve: end } = Promise.withResolvers<number>()
  const running = new Set<Worker>()
  const timers = new Set<NodeJS.Timeout>()
  let listened = 0
  let stopping = false

  function startIn(place: number, shortLives: number, first: boolean): void {
    const worker = cluster.fork()
    running.add(worker)
    let since: number | undefined
    worker.on('message', (message: Listening) => {
      if (message.kind !== 'listening') return
      since = performance.now()
      if (first) begun(place, message.address)
    })
    whenOver(worker, (code, signal) => {
      running.delete(worker)
      const fields = { worker: worker.id, pid: worker.process.pid, code, signal }
      if (stopping) return running.size === 0 ? end(0) : undefined
      if (listened === 0) return end(code ?? 1)
      const served = since === undefined ? 0 : performance.now() - since
      const replacement = replaceAfter(served, shortLives)
      log.warn('A worker has ended and is replaced', { ...fields, wait_ms: replacement.delay })
      replace(place, replacement, first && since === undefined)
    })
  }

  function begun(place: number, address: string): void {
    // Who is told to end may have said this just before; others would start and hear of no end.
    if (stopping) return
    listened++
    if (place === 0) for (let other = 1; other < count; other++) startIn(other, 0, true)
    if (listened === count) onListening(address)
  }

  function replace(place: number, { shortLives, delay }: Replacement, first: boolean): void {
    const timer = setTimeout(() => {
      timers.delete(timer)
      startIn(place, shortLives, first)
    }, delay)
    timers.add(timer)
  }

  function killAll(signal: NodeJS.Signals): void {
    for (const worker of running) worker.process.kill(signal)
  }

  startIn(0, 0, true)
  return {
    ended,
    stop() {
      stopping = true
      for (const timer of timers) clearTimeout(timer)
      if (running.size === 0) return end(0)
      killAll('SIGTERM')
      setTimeout(() => killAll('SIGKILL'), STOP_PATIENCE).unref()
    },
    kill: () => killAll('SIGKILL'),
  }
}

type Over = (code: number | undefined, signal: string | undefined) => void

/** Calls `over` once; a process that could not be made has an error and no exit. */
function whenOver(worker: Worker, over: Over): void {
  worker.once('exit', (code: number | null, signal: string | null) =>
    over(code ?? undefined, signal ?? undefined),
  )
  worker.on('error', () => {
    // Any other is of the channel to a worker that is ending, and its exit follows.
    if (worker.process.pid === undefined) over(undefined, undefined)
  })
}
