import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requestOf } from '../../bench/forwarding/request.ts'
import { measureByTurns, medianOf, ratioOf } from '../../bench/forwarding/rounds.ts'
import { createSetting, startProgram } from '../../bench/forwarding/setting.ts'
import { signIn, startMeasured } from '../../bench/forwarding/stepgate.ts'
import { writeTable } from '../../bench/forwarding/table.ts'
import { usageOf } from '../../bench/forwarding/usage.ts'

test('browsers measure a bare pipe and a signed-in stepgate, and take nothing else for an answer', async (t) => {
  const setting = await createSetting()
  t.after(setting.stop)
  const bare = await startProgram(setting, 'bare-pipe.ts')
  t.after(bare.stop)
  const stepgate = await startMeasured(setting)
  t.after(stepgate.stop)
  const cookie = await signIn(stepgate, setting)

  const subjects = [
    { ...bare, name: 'bare', file: await setting.write([requestOf(bare.origin, cookie)]) },
    {
      ...stepgate,
      name: 'stepgate',
      file: await setting.write([requestOf(stepgate.origin, cookie)]),
    },
  ].map((subject) => ({ ...subject, warmUp: 64 }))
  const measured = await measureByTurns(setting, subjects, { rounds: 1, requests: 500 })
  for (const name of ['bare', 'stepgate']) {
    const [round, ...others] = measured.get(name) ?? []
    assert.ok(round && others.length === 0)
    assert.ok(round.rate > 0 && round.p50 > 0 && round.p99 >= round.p50 && round.memory > 10)
  }

  const file = await setting.write([requestOf(stepgate.origin, '')])
  const port = Number(new URL(stepgate.origin).port)
  const nobody = setting.drive({ port, file, connections: 1, requests: 1 })
  await assert.rejects(nobody, /HTTP\/1\.1 302 /)
})

test('usage is that of a process and of all that it has started', () => {
  const own = usageOf(process.pid)
  const parent = usageOf(process.ppid)
  assert.ok(own.cpu > 0 && own.memory > 10)
  assert.ok(parent.cpu >= own.cpu && parent.memory >= own.memory)
})

test('the table has medians, ratios of the same rounds, and a mark at what misses its aim', () => {
  const roundOf = (cpu: number) => ({ cpu, rate: 1, p50: 1, p99: 2, memory: 3 })
  const bare = [10, 100, 20].map(roundOf)
  const rounds = [11, 130, 24].map(roundOf)
  assert.equal(medianOf(rounds, 'cpu'), 24)
  assert.equal(ratioOf(rounds, bare, 'cpu').toFixed(2), '1.20')
  const aim = { what: 'CPU', value: ratioOf(rounds, bare, 'cpu'), unit: '×' } as const
  const table = writeTable([
    { name: 'one', rounds, aims: [{ ...aim, most: 1.25 }] },
    { name: 'other', cells: { rate: '5 MB/s' }, aims: [{ ...aim, most: 1.15 }] },
    { name: 'third', aims: [{ ...aim, least: 1.3 }] },
  ])
  assert.match(table, /\| one +\| +24\.0 \|.* CPU 1\.20 × \(≤ 1\.25\) +\|\n/)
  assert.match(table, /\| other \|.* 5 MB\/s \|.* CPU 1\.20 × \(≤ 1\.15\) !/)
  assert.match(table, /\| third \|.* CPU 1\.20 × \(≥ 1\.3\) !/)
})
