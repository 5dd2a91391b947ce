import type { Arrival, Flows } from './code-flow.ts'

/** One round of one stepgate. Times in ms. */
export type Round = {
  readonly flows: number
  readonly wall: number
  /** Of stepgate's process alone. */
  readonly cpu: number
  /** How long each right code took, from the form's sending to the redirect. */
  readonly verify: readonly number[]
}

/** What a stepgate is measured by. */
export type Measured = { readonly flows: Flows; cpu(): Promise<number> }

/**
 * Takes so many people, from number `first` on, through the code, `atOnce` at a time. Their way to the
 * provider and back is not part of what is measured.
 */
export async function measureRound(
  { flows, cpu }: Measured,
  { first, people, atOnce }: { first: number; people: number; atOnce: number },
): Promise<Round> {
  const numbers = Array.from({ length: people }, (_, index) => first + index)
  const arrivals: Arrival[] = []
  await inTurns(numbers, atOnce, async (person) => {
    arrivals.push(await flows.arrive(person))
  })
  const verify: number[] = []
  const cpuBefore = await cpu()
  const began = performance.now()
  await inTurns(arrivals, atOnce, async (arrival) => {
    verify.push(await flows.finish(arrival))
  })
  const wall = performance.now() - began
  return { flows: verify.length, wall, cpu: (await cpu()) - cpuBefore, verify }
}

async function inTurns<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values()
  const lane = async () => {
    for (const item of rest) await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}

/** The value below which a share (0 to 1) of all lies; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)] ?? Number.NaN
}
