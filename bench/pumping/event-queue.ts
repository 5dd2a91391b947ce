/** Something that happens at `at` (epoch ms of the virtual clock). */
export type Event = { readonly at: number; readonly run: (now: number) => Promise<void> }

/** Events in the order of their time, those of one moment as they came. */
export type EventQueue = {
  add(at: number, run: Event['run']): void
  /** Runs everything before `end`, one after another, what is added meanwhile too. */
  runUntil(end: number): Promise<void>
}

/** A binary heap over the virtual clock. */
export function createEventQueue(): EventQueue {
  const heap: (Event & { readonly order: number })[] = []
  let added = 0

  const isBefore = (a: number, b: number): boolean => {
    const [first, second] = [heap[a], heap[b]]
    if (first === undefined || second === undefined) return first !== undefined
    return first.at < second.at || (first.at === second.at && first.order < second.order)
  }
  const exchange = (a: number, b: number): void => {
    const [first, second] = [heap[a], heap[b]]
    if (first === undefined || second === undefined) return
    heap[a] = second
    heap[b] = first
  }

  function rise(from: number): void {
    for (let place = from; place > 0; ) {
      const parent = (place - 1) >> 1
      if (!isBefore(place, parent)) return
      exchange(place, parent)
      place = parent
    }
  }

  function sink(): void {
    for (let place = 0; ; ) {
      const [left, right] = [2 * place + 1, 2 * place + 2]
      let least = place
      if (left < heap.length && isBefore(left, least)) least = left
      if (right < heap.length && isBefore(right, least)) least = right
      if (least === place) return
      exchange(place, least)
      place = least
    }
  }

  function takeFirst(): Event | undefined {
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined) return undefined
    if (heap.length > 0) {
      heap[0] = last
      sink()
    }
    return first
  }

  return {
    add(at, run) {
      added += 1
      heap.push({ at, run, order: added })
      rise(heap.length - 1)
    },
    async runUntil(end) {
      for (let next = takeFirst(); next !== undefined; next = takeFirst()) {
        if (next.at < end) await next.run(next.at)
      }
    },
  }
}
