/**
 * `npm run bench:codes`: whole code flows on one core, from the sign-in's callback to the right code,
 * over each store. Each stepgate is a process of its own, and only its CPU time is counted; provider,
 * stand-in for Twilio, Redis and browsers are others.
 * `node bench/codes.ts [flows a round] [rounds] [at once]` makes it shorter or longer.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Redis, startRedis } from '../test/support/redis.ts'
import { createFlows } from './codes/code-flow.ts'
import { type Measured, measureRound, quantile, type Round } from './codes/measure.ts'
import { startStandIns, startStepgate } from './codes/processes.ts'
import { onOneCore, type Started } from './processes.ts'

const AIM = { sqlite: 400, redis: 0.5 }
const WARM_UP = 2000

const [people = 1000, rounds = 5, atOnce = 16] = process.argv.slice(2).map(Number)

type Subject = Measured & Started & { readonly name: string; readonly rounds: Round[] }

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Undefined, and said why, where there is no redis-server. */
async function tryRedis(): Promise<Redis | undefined> {
  try {
    return await startRedis({ lines: ['save ""'] })
  } catch (error) {
    const causes = error instanceof AggregateError ? error.errors : [error]
    if (!causes.some(({ code }) => code === 'ENOENT')) throw error
    say('redis-server is missing here: NO FIGURES FOR REDIS. Install it and run this again.\n')
    return undefined
  }
}

async function startSubject(name: string, store: string, standIns: string): Promise<Subject> {
  const stepgate = await startStepgate(store, standIns)
  const flows = createFlows(stepgate.origin, standIns)
  return { ...stepgate, name, flows, rounds: [] }
}

const COLUMNS = [8, 9, 12, 17, 11, 7, 14, 12]
const HEAD = [
  '',
  'flows/s',
  'CPU ms/flow',
  'flows/CPU second',
  'of memory',
  'busy',
  'verify p50 ms',
]

function sayCells(cells: readonly string[]): void {
  const padded = cells.map((cell, index) =>
    index === 0 ? cell.padEnd(COLUMNS[0] ?? 0) : cell.padStart(COLUMNS[index] ?? 0),
  )
  say(padded.join(' '))
}

const median = (values: readonly number[]) => quantile(values, 0.5)
const perCpuSecond = ({ flows, cpu }: Round) => (1000 * flows) / cpu

function row({ name, rounds }: Subject, memory: Subject | undefined): string[] {
  const of = (figure: (round: Round) => number) => median(rounds.map(figure))
  const ratios = rounds.flatMap((round, index) => {
    const other = memory?.rounds[index]
    return other === undefined ? [] : [perCpuSecond(round) / perCpuSecond(other)]
  })
  const verify = rounds.flatMap((round) => round.verify)
  const rate = of(perCpuSecond)
  const ratio = median(ratios)
  return [
    name,
    of(({ flows, wall }) => (1000 * flows) / wall).toFixed(0),
    of(({ flows, cpu }) => cpu / flows).toFixed(2),
    `${rate.toFixed(0)}${name === 'sqlite' && rate < AIM.sqlite ? '!' : ' '}`,
    `${ratio.toFixed(2)}${name === 'redis' && ratio < AIM.redis ? '!' : ' '}`,
    `${of(({ cpu, wall }) => (100 * cpu) / wall).toFixed(0)}%`,
    median(verify).toFixed(1),
    quantile(verify, 0.99).toFixed(1),
  ]
}

const folder = await mkdtemp(join(tmpdir(), 'stepgate-bench-'))
const redis = await tryRedis()
const started: Started[] = []
try {
  const standIns = await startStandIns()
  started.push(standIns)
  const stores = [
    ['memory', 'memory:'],
    ['sqlite', `sqlite:${join(folder, 'stepgate.db')}`],
    ...(redis === undefined ? [] : [['redis', redis.url]]),
  ] as [string, string][]
  const subjects: Subject[] = []
  for (const [name, store] of stores) {
    const subject = await startSubject(name, store, standIns.origin)
    started.push(subject)
    subjects.push(subject)
  }

  say(
    `code flows: ${rounds} rounds of ${people} by turns, ${atOnce} at once, after ${WARM_UP} each`,
  )
  say(onOneCore().length > 0 ? 'each stepgate on one core' : 'taskset is missing: on any core')
  say(`aims: sqlite ${AIM.sqlite} flows a CPU second, redis ${AIM.redis} of memory; ! misses\n`)
  let first = 0
  for (let round = -1; round < rounds; round++) {
    // Each is the first in its turn: what runs before leaves its traces in the machine's caches.
    const turn = Math.max(round, 0) % subjects.length
    for (const subject of [...subjects.slice(turn), ...subjects.slice(0, turn)]) {
      const size = { first, people: round < 0 ? WARM_UP : people, atOnce }
      first += size.people
      const measured = await measureRound(subject, size)
      if (round >= 0) subject.rounds.push(measured)
    }
  }
  sayCells([...HEAD, 'p99 ms'])
  for (const subject of subjects) sayCells(row(subject, subjects[0]))
  await Promise.all(subjects.map(({ flows }) => flows.close()))
} finally {
  await Promise.all(started.map(({ stop }) => stop()))
  await redis?.stop()
  await rm(folder, { recursive: true, force: true })
}
