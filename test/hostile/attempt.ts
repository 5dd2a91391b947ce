import { valuesUnder } from '../support/counting-upstream.ts'
import { type HostileCase, SESSION } from './hostile-case.ts'
import { judge } from './judge.ts'
import type { Lane, LaneAnswer } from './lane.ts'
import { HOST, NUMBER } from './part.ts'
import { ANSWERED, type Seen } from './upstream.ts'

/** What became of the cases: all, those that arrived, and those of the plain that did not. */
export type Tally = { cases: number; arrived: number; plainKept: number }

/** A case that broke a promise, by its place among those that were sent with it. */
export type Failure = { readonly index: number; readonly error: Error }

/** A case that was sent. */
export type Attempt = {
  readonly one: HostileCase
  readonly number: string
  readonly bytes: string
  readonly answer: LaneAnswer
}

/** What applications have seen and nobody has asked for yet, by its `X-Case`. */
export type Sightings = Map<string, Seen[]>

/** Adds to the sightings. */
export function note(sightings: Sightings, seen: readonly Seen[]): void {
  for (const one of seen) {
    const number = valuesUnder(one, 'x-case').join()
    sightings.set(number, [...(sightings.get(number) ?? []), one])
  }
}

/** Sends cases over lanes, numbered from `first`, each with an honest request right behind it. */
export async function send(
  cases: readonly HostileCase[],
  first: number,
  lanes: readonly Lane[],
  cookie: string,
): Promise<readonly Attempt[]> {
  const attempts: Attempt[] = []
  const queue = cases.entries()
  const drive = async (lane: Lane) => {
    for (const [index, one] of queue) {
      const number = String(first + index).padStart(NUMBER.length, '0')
      const behind = one.last ? '' : honest(number)
      const bytes = fill(one.bytes, number).replace(SESSION, cookie) + behind
      const answer = await lane.exchange(bytes, `end-${number}${ANSWERED}`)
      attempts[index] = { one, number, bytes, answer }
    }
  }
  await Promise.all(lanes.map(drive))
  return attempts
}

/** Judges them all by what was seen of them, which is taken out; answers the first failure. */
export function judgeAll(
  attempts: readonly Attempt[],
  sightings: Sightings,
  tally: Tally,
): Failure | undefined {
  for (const [index, { one, number, bytes, answer }] of attempts.entries()) {
    const arrivals = taken(sightings, number)
    const arrivalsBehind = taken(sightings, `end-${number}`)
    try {
      const body = fill(one.framing.bodyOf(one.framing.bytes + honest(number)), number)
      const arrived = judge({ one, body, answer, arrivals, arrivalsBehind })
      tally.cases += 1
      if (arrived) tally.arrived += 1
      else if (one.kind === 'plain' && one.signedIn) tally.plainKept += 1
      const smuggled = taken(sightings, `smuggled-${number}`)
      if (smuggled.length > 0) throw new Error('a body was read as a request')
    } catch (error) {
      const facts = JSON.stringify({ bytes, answer, arrivals, arrivalsBehind })
      const message = `${error instanceof Error ? error.message : error}\n${facts}`
      return { index, error: new Error(message, { cause: error }) }
    }
  }
  return undefined
}

function taken(sightings: Sightings, key: string): readonly Seen[] {
  const found = sightings.get(key) ?? []
  sightings.delete(key)
  return found
}

function fill(text: string, number: string): string {
  return text.replaceAll(NUMBER, number)
}

/** A request of somebody unknown, which takes the harm if the one before is read to another end. */
function honest(number: string): string {
  return `GET /public/end HTTP/1.1\r\nHost: ${HOST}\r\nX-Case: end-${number}\r\n\r\n`
}
