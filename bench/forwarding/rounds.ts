import { quantile } from '../codes/measure.ts'
import type { Server, Setting } from './setting.ts'
import { usageOf } from './usage.ts'

/** A server with the requests that are put to it. */
export type Subject = Pick<Server, 'origin' | 'pid'> & {
  readonly name: string
  readonly file: string
  /** So many requests before the first round. */
  readonly warmUp?: number
}

/** One round. */
export type Round = {
  /** µs of CPU a request. */
  readonly cpu: number
  /** Requests a second. */
  readonly rate: number
  /** ms */
  readonly p50: number
  readonly p99: number
  /** MB */
  readonly memory: number
}

/** How long a server is measured, or by how many requests. */
type Amount = { readonly ms: number } | { readonly requests: number }

const CONNECTIONS = 64
/** V8 compiles by how often a function was called; whoever is slow need not wait for all of it. */
const WARM_UP = { requests: 20_000, ms: 8000 }

/** Rounds of all subjects by turns, each first in its turn, so that all have the machine's moods. */
export async function measureByTurns(
  setting: Setting,
  subjects: readonly Subject[],
  { rounds, ...amount }: { readonly rounds: number } & Amount,
): Promise<Map<string, Round[]>> {
  const measured = new Map(subjects.map(({ name }): [string, Round[]] => [name, []]))
  for (const subject of subjects) {
    const { warmUp } = subject
    await measure(setting, subject, warmUp === undefined ? WARM_UP : { requests: warmUp })
  }
  for (let round = 0; round < rounds; round++) {
    const turn = round % subjects.length
    for (const subject of [...subjects.slice(turn), ...subjects.slice(0, turn)]) {
      measured.get(subject.name)?.push(await measure(setting, subject, amount))
    }
  }
  return measured
}

async function measure(
  { drive }: Setting,
  { origin, pid, file }: Subject,
  amount: Amount,
): Promise<Round> {
  const before = usageOf(pid)
  const port = Number(new URL(origin).port)
  const { requests, ms, p50, p99 } = await drive({
    port,
    file,
    connections: CONNECTIONS,
    ...amount,
  })
  const after = usageOf(pid)
  return {
    cpu: (1000 * (after.cpu - before.cpu)) / requests,
    rate: (1000 * requests) / ms,
    p50,
    p99,
    memory: after.memory,
  }
}

/** Median of a figure over all rounds. */
export function medianOf(rounds: readonly Round[], figure: keyof Round): number {
  return quantile(
    rounds.map((round) => round[figure]),
    0.5,
  )
}

/** Median of what a figure is of another's in the same round. */
export function ratioOf(
  rounds: readonly Round[],
  others: readonly Round[],
  figure: keyof Round,
): number {
  const ratios = rounds.map(
    (round, index) => round[figure] / (others[index]?.[figure] ?? Number.NaN),
  )
  return quantile(ratios, 0.5)
}
