import { quantile } from '../codes/measure.ts'
import { LARGE } from './application.ts'
import { requestOf, uploadOf } from './request.ts'
import { type Server, type Setting, startProgram } from './setting.ts'
import { signIn, startMeasured } from './stepgate.ts'
import type { Line } from './table.ts'
import { usageOf } from './usage.ts'

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
      const files = new Map<Server, string>()
      for (const server of [bare, stepgate]) {
        const request =
          way === 'down'
            ? requestOf(server.origin, cookie, '/large')
            : uploadOf(server.origin, cookie, LARGE)
        files.set(server, await setting.write([request]))
      }
      const all: { bare: Carried; stepgate: Carried }[] = []
      for (let round = -1; round < rounds; round++) {
        const carry = (server: Server) => carryOne(setting, server, files.get(server) ?? '', way)
        const pair = { bare: await carry(bare), stepgate: await carry(stepgate) }
        if (round >= 0) all.push(pair)
      }
      lines.push(
        lineOf(
          way,
          'bare undici pipe',
          all.map(({ bare }) => bare),
        ),
      )
      const value = quantile(
        all.map(({ bare, stepgate }) => bare.ms / stepgate.ms),
        0.5,
      )
      const line = lineOf(
        way,
        'stepgate',
        all.map(({ stepgate }) => stepgate),
      )
      lines.push({ ...line, aims: [{ what: 'throughput of bare', value, unit: '×', least: 0.9 }] })
    }
    return lines
  } finally {
    await Promise.all([bare.stop(), stepgate.stop()])
  }
}

async function carryOne(
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

function lineOf(way: string, name: string, carried: readonly Carried[]): Line {
  const of = (figure: keyof Carried) =>
    quantile(
      carried.map((each) => each[figure]),
      0.5,
    )
  return {
    name: `1 GB ${way}, ${name}`,
    cells: {
      cpu: `${of('cpu').toFixed(0)} ms`,
      rate: `${(LARGE / 1000 / of('ms')).toFixed(0)} MB/s`,
      memory: of('memory').toFixed(0),
    },
  }
}
