import { onCores } from '../processes.ts'
import { requestOf } from './request.ts'
import { measureByTurns, type Round, ratioOf } from './rounds.ts'
import type { Setting } from './setting.ts'
import { signIn, startMeasured } from './stepgate.ts'
import type { Line } from './table.ts'

/**
 * One worker and two. So that two cores are enough to tell, everything shares what the workers have:
 * first one worker, browsers and application are all on one core, then two workers, browsers and
 * application on two. What grows is the work of the whole, by the clock.
 */
export async function shareCores(
  setting: Setting,
  { rounds, ms }: { readonly rounds: number; readonly ms: number },
): Promise<Line[]> {
  const cores = usableCoresOf(setting)
  if (cores.length < 2) return [{ name: '2 workers on 2 cores', cells: { rate: 'no two cores' } }]
  const subjects = []
  const all: Round[][] = [[], []]
  for (const workers of [1, 2]) {
    const on = cores.slice(0, workers)
    const env = { STEPGATE_WORKERS: String(workers) }
    const stepgate = await startMeasured(setting, env, { on: onCores(on) })
    const file = await setting.write([requestOf(stepgate.origin, await signIn(stepgate, setting))])
    subjects.push({ ...stepgate, file, on, name: `${workers}` })
  }
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [index, subject] of subjects.entries()) {
        setting.bindOthers(subject.on)
        const measured = await measureByTurns(setting, [subject], { rounds: 1, ms })
        all[index]?.push(...(measured.get(subject.name) ?? []))
      }
    }
  } finally {
    setting.bindOthers(setting.cores.others)
    await Promise.all(subjects.map(({ stop }) => stop()))
  }
  const [one = [], two = []] = all
  const value = ratioOf(two, one, 'rate')
  return [
    { name: '1 worker, all on 1 core', rounds: one },
    {
      name: '2 workers, all on 2 cores',
      rounds: two,
      aims: [{ what: 'requests', value, unit: '×', least: 1.7 }],
    },
  ]
}

function usableCoresOf({ cores }: Setting): readonly number[] {
  return [...cores.measured, ...cores.others].slice(0, 2)
}
