import cluster, { type Worker } from 'node:cluster'
import type { Meter, Reading } from '../metrics/meter.ts'

/** What the supervisor asks a worker, and what it answers. */
type Ask = { readonly kind: 'read-metrics' }
type Answer = { readonly kind: 'metrics-read'; readonly reading: Reading }

/** Answers the supervisor, in a worker. */
export function answerWithReadings(meter: Meter): void {
  process.on('message', (message: Ask) => {
    if (message.kind !== 'read-metrics') return
    meter.read().then((reading) => {
      const answer: Answer = { kind: 'metrics-read', reading }
      // The supervisor may be gone.
      process.send?.(answer, undefined, undefined, () => {})
    })
  })
}

/**
 * In the supervisor: asks all workers, now and each time that it is called. A worker that does not
 * answer within `patience` ms stands as it last did. What has ended stays in the totals, which would
 * fall otherwise, and be taken for new counts.
 */
export function gatherReadings(
  keepTotals: (readings: readonly Reading[]) => Promise<Reading>,
  patience = 4000,
): () => Promise<readonly Reading[]> {
  const latest = new Map<Worker, Reading>()
  const waiting = new Map<Worker, () => void>()
  const over = new WeakSet<Worker>()
  let ended: Promise<readonly Reading[]> = Promise.resolve([])

  cluster.on('message', (worker, message: Answer) => {
    if (message.kind !== 'metrics-read' || over.has(worker)) return
    latest.set(worker, message.reading)
    waiting.get(worker)?.()
  })
  cluster.on('exit', (worker) => {
    over.add(worker)
    const last = latest.get(worker)
    latest.delete(worker)
    waiting.get(worker)?.()
    if (last !== undefined) ended = ended.then(async (kept) => [await keepTotals([...kept, last])])
  })

  function ask(worker: Worker): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, patience)
    waiting.set(worker, resolve)
    const question: Ask = { kind: 'read-metrics' }
    // One that is ending can't be asked any more, and its exit follows.
    worker.process.send?.(question, undefined, undefined, () => {})
    return promise.finally(() => {
      clearTimeout(timer)
      waiting.delete(worker)
    })
  }

  return async () => {
    const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined)
    await Promise.all(workers.filter((worker) => worker.isConnected()).map(ask))
    return [...(await ended), ...latest.values()]
  }
}
