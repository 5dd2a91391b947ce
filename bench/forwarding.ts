/**
 * `npm run bench`: what it costs that requests pass stepgate, beside a bare pipe and other proxies.
 * `npm run bench -- --quick` has short rounds; names of parts run only those.
 */
import { cpus } from 'node:os'
import { carryLarge } from './forwarding/carry-large.ts'
import { comparePeers } from './forwarding/compare-peers.ts'
import { growRules, growSessions } from './forwarding/grow.ts'
import { holdSockets } from './forwarding/hold-sockets.ts'
import { createSetting, type Setting } from './forwarding/setting.ts'
import { shareCores } from './forwarding/share-cores.ts'
import { type Line, writeTable } from './forwarding/table.ts'

type Size = { readonly rounds: number; readonly ms: number }
type Part = (setting: Setting, size: Size, say: (line: string) => void) => Promise<Line[]>

const PARTS: Readonly<Record<string, Part>> = {
  peers: comparePeers,
  rules: growRules,
  sessions: growSessions,
  large: carryLarge,
  websockets: holdSockets,
  workers: shareCores,
}
const FULL: Size = { rounds: 5, ms: 3000 }
const QUICK: Size = { rounds: 3, ms: 1000 }

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

const asked = process.argv.slice(2).filter((name) => name !== '--quick')
const unknown = asked.filter((name) => !Object.hasOwn(PARTS, name))
if (unknown.length > 0) {
  say(`There is no ${unknown.join(', ')}: the parts are ${Object.keys(PARTS).join(', ')}`)
  process.exit(2)
}
const size = process.argv.includes('--quick') ? QUICK : FULL
const setting = await createSetting()
const lines: Line[] = []
try {
  const { measured, others } = setting.cores
  say(
    `${cpus()[0]?.model}, Node ${process.version}; median of ${size.rounds} rounds by turns of ${size.ms} ms,`,
  )
  say('64 connections that are kept, a body of 0.3 kB; ! misses its aim.')
  if (measured.length === 0) say('taskset is missing: all on any core.')
  else if (others.length === 0)
    say('One core for all: latencies are those of clients and application too.')
  else say(`Measured on core ${measured}; clients and application on ${others}.`)
  for (const [name, part] of Object.entries(PARTS)) {
    if (asked.length > 0 && !asked.includes(name)) continue
    const began = performance.now()
    lines.push(...(await part(setting, size, say)))
    process.stderr.write(`${name}: ${((performance.now() - began) / 1000).toFixed(0)} s\n`)
  }
} finally {
  say(`\n${writeTable(lines)}`)
  await setting.stop()
}
