import assert from 'node:assert/strict'
import fc from 'fast-check'
import { openDoor } from '../support/door.ts'
import {
  type Attempt,
  type Failure,
  judgeAll,
  note,
  type Sightings,
  send,
  type Tally,
} from './attempt.ts'
import { type HostileCase, hostileCases } from './hostile-case.ts'
import { PERSON } from './judge.ts'
import { createLane } from './lane.ts'
import type { HostileUpstream } from './upstream.ts'

/** How many cases are tried, and the seed of their row. */
export type CorpusOptions = { readonly cases: number; readonly seed: number }

const USUAL = 20_000
const LANES = 8
const SLICE = 500

/**
 * As many cases as a test wants, in proportion to `HOSTILE_CASES` (20000 by default) if that is set;
 * `HOSTILE_SEED` begins another row of them.
 */
export function corpusOptions(cases: number): CorpusOptions {
  const { HOSTILE_CASES = USUAL, HOSTILE_SEED = 20_261_124 } = process.env
  return { cases: Math.ceil((cases * Number(HOSTILE_CASES)) / USUAL), seed: Number(HOSTILE_SEED) }
}

/**
 * Sends made-up requests through stepgate to a server, on connections that are kept alive. The first
 * that breaks a promise is made small by fast-check and thrown, with its seed.
 */
export async function tryCorpus(
  upstream: HostileUpstream,
  { cases, seed }: CorpusOptions,
): Promise<Tally> {
  const tally: Tally = { cases: 0, arrived: 0, plainKept: 0 }
  const sightings: Sightings = new Map()
  const door = await openDoor({
    env: {
      STEPGATE_UPSTREAM: upstream.origin.origin,
      STEPGATE_DEFAULT_ACR: 'basic',
      STEPGATE_RULES: 'deny /secret/**; public /public/**; basic PUT,DELETE /**',
      // What ends a body that node:http gives up without a word, as it does behind an `Upgrade`.
      STEPGATE_BODY_IDLE_TIMEOUT: '1s',
      STEPGATE_HEADERS: 'REMOTE_USER={username}',
      STEPGATE_ACCESS_LOG: 'off',
      STEPGATE_LOG_LEVEL: 'error',
    },
  })
  const lanes = Array.from({ length: LANES }, () => createLane(door.port))
  const cookie = await door.cookieOf(PERSON)
  let sent = 0
  const sendAll = async (list: readonly HostileCase[]) => {
    const attempts = await send(list, sent, lanes, cookie)
    sent += list.length
    note(sightings, await upstream.take())
    return attempts
  }
  const sendOne = async (one: HostileCase) => judgeAll(await sendAll([one]), sightings, tally)
  const judgeSlice = async ({ attempts, from }: Slice) => {
    const failure = judgeAll(attempts, sightings, tally)
    if (failure !== undefined) await makeSmall(from, failure, sendOne)
  }

  // One slice behind: what is refused in mid-request may still be on its way to the application.
  let before: Slice = { attempts: [], from: seed }
  try {
    for (let done = 0; done < cases; done += SLICE) {
      const from = seed + done
      const list = fc.sample(hostileCases, { seed: from, numRuns: Math.min(SLICE, cases - done) })
      const attempts = await sendAll(list)
      await judgeSlice(before)
      before = { attempts, from }
    }
    await judgeSlice(before)
  } finally {
    for (const lane of lanes) lane.close()
    await door.close()
  }
  note(sightings, await upstream.take())
  assert.deepEqual([...sightings.values()], [], 'that nobody sent')
  return tally
}

type Slice = { readonly attempts: readonly Attempt[]; readonly from: number }

/** Sends the failing case again, and smaller ones that fail too; throws what fast-check says of it. */
async function makeSmall(
  seed: number,
  { index, error }: Failure,
  sendOne: (one: HostileCase) => Promise<Failure | undefined>,
): Promise<never> {
  const property = fc.asyncProperty(hostileCases, async (one) => {
    const failure = await sendOne(one)
    if (failure !== undefined) throw failure.error
  })
  await fc.assert(property, { seed, path: String(index) })
  throw new Error(`Only among others, with seed ${seed}, number ${index}`, { cause: error })
}
