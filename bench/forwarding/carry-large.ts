import { quantile } from '../codes/measure.ts'
import { LARGE } from './application.ts'
import { requestOf } from './request.ts'
import { type Server, type Setting, startProgram } from './setting.ts'
import { signIn, startMeasured } from './stepgate.ts'
import type { Line } from './table.ts'
import { usageOf } from './usage.ts'

const MOST_ROUNDS = 3

/** What carrying a GB has cost: ms by the clock and on a CPU, and MB at the end. */
type Carried = { readonly ms: number; readonly cpu: number; readonly memory: number }

/** 1 GB down and up, by turns through the bare pipe and stepgate. */
export async function carryLarge(
  setting: Setting,
  { rounds }: { readonly rounds: number },
): Promise<Line[]> {
  const bare = await startProgram(setting, 'bare-pipe.ts')
  const stepgate = await startMeasured(setting, {
    STEPGATE_RULES: 'twilio_sms /large /upload',
    STEPGATE_MAX_BODY: 'none',
  })
  try {
    const cookie = await signIn(stepgate, setting)
    const lines: Line[] = []
    for (const way of ['down', 'up'] as const) {
      const fileFor = ({ origin }: Server) => {
        const path = way === 'down' ? '/large' : '/upload'
        return setting.write([requestOf(origin, cookie, path, way === 'up' ? LARGE : undefined)])
      }
      const files = [await fileFor(bare), await fileFor(stepgate)] as const
      const ofBare: Carried[] = []
      const ofStepgate: Carried[] = []
      for (let round = 0; round < Math.min(rounds, MOST_ROUNDS); round++) {
        ofBare.push(await carry(setting, bare, files[0], way))
        ofStepgate.push(await carry(setting, stepgate, files[1], way))
      }
      const ratios = ofStepgate.map(({ ms }, round) => (ofBare[round]?.ms ?? Number.NaN) / ms)
      const value = quantile(ratios, 0.5)
      const aims = [{ what: 'throughput of bare', value, unit: '×', least: 0.9 }] as const
      lines.push({ name: `1 GB ${way}, bare undici pipe`, cells: cellsOf(ofBare) })
      lines.push({ name: `1 GB ${way}, stepgate`, cells: cellsOf(ofStepgate), aims })
    }
    return lines
  } finally {
    await Promise.all([bare.stop(), stepgate.stop()])
  }
}

async function carry(
  { drive }: Setting,
  { origin, pid }: Server,
  file: string,
  way: 'down' | 'up',
): Promise<Carried> {
  const before = usageOf(pid)
  const port = Number(new URL(origin).port)
  const body = way === 'up' ? { body: LARGE } : {}
  const { ms } = await drive({ port, file, connections: 1, requests: 1, ...body })
  const after = usageOf(pid)
  return { ms, cpu: after.cpu - before.cpu, memory: after.memory }
}

function cellsOf(carried: readonly Carried[]): NonNullable<Line['cells']> {
  const of = (figure: keyof Carried) =>
    quantile(
      carried.map((each) => each[figure]),
      0.5,
    )
  return {
    cpu: `${of('cpu').toFixed(0)} ms`,
    rate: `${(LARGE / 1000 / of('ms')).toFixed(0)} MB/s`,
    memory: of('memory').toFixed(0),
  }
}
