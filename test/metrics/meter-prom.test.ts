import assert from 'node:assert/strict'
import { test } from 'node:test'
import { METRICS } from '../../proxy/metrics/definitions.ts'
import type { Meter } from '../../proxy/metrics/meter.ts'
import {
  CONTENT_TYPE,
  createPromMeter,
  exposeSum,
  keepTotals,
} from '../../proxy/metrics/meter-prom.ts'
import { readExposition } from '../support/exposition.ts'
import { strayLabels } from '../support/own-metrics.ts'

const read = async ({ exposition }: Meter) => readExposition(await exposition.text())
const sums = async (...meters: Meter[]) =>
  readExposition(await exposeSum(await Promise.all(meters.map((meter) => meter.read()))))

/** As readings pass from process to process. */
const passed = async (meter: Meter) => JSON.parse(JSON.stringify(await meter.read()))

test('every metric is there from the start, and what is counted by few words has its zeros', async () => {
  const { text, samples, value } = await read(createPromMeter())
  for (const [name, { kind, help }] of Object.entries(METRICS)) {
    assert.ok(text.includes(`# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`), name)
  }
  const outcomes = samples.filter(({ name }) => name === 'stepgate_sign_ins_total')
  assert.equal(outcomes.length, METRICS.stepgate_sign_ins_total.labels.outcome.length)
  assert.equal(value('stepgate_sign_ins_total'), 0)
  assert.ok(samples.some(({ name }) => name === 'stepgate_send_to_verification_seconds_count'))
  assert.ok(samples.some(({ name }) => name === 'stepgate_circuit_open'))
  // There would be thousands.
  assert.ok(!samples.some(({ name }) => name === 'stepgate_sends_total'))
  assert.deepEqual(strayLabels(samples), [])
})

test('the process itself is measured too', async () => {
  const { value } = await read(createPromMeter())
  assert.ok(value('process_resident_memory_bytes') > 1e7)
  assert.ok(value('process_start_time_seconds') > 1e9)
  assert.ok(value('nodejs_heap_size_used_bytes') > 1e6)
})

test('it counts, observes and measures, each with its labels', async () => {
  const meter = createPromMeter()
  meter.count('stepgate_locks_total', { kind: 'wait' })
  meter.count('stepgate_locks_total', { kind: 'wait' })
  meter.count('stepgate_locks_total', { kind: 'locked' })
  meter.observe('stepgate_send_to_verification_seconds', { channel: 'call' }, 12)
  meter.start('stepgate_store_seconds')({ operation: 'get', store: 'redis' })
  const { value } = await read(meter)
  assert.equal(value('stepgate_locks_total', { kind: 'wait' }), 2)
  assert.equal(value('stepgate_locks_total', { kind: 'locked' }), 1)
  const name = 'stepgate_send_to_verification_seconds'
  assert.equal(value(`${name}_bucket`, { channel: 'call', le: '10' }), 0)
  assert.equal(value(`${name}_bucket`, { channel: 'call', le: '15' }), 1)
  assert.equal(value(`${name}_count`, { channel: 'sms' }), 0)
  const took = value('stepgate_store_seconds_sum', { operation: 'get', store: 'redis' })
  assert.ok(took > 0 && took < 600)
})

test('what is counted where time counts is in every reading, once', async () => {
  const meter = createPromMeter()
  const [own, forward] = (['own', 'forward'] as const).map((decision) =>
    meter.counter('stepgate_requests_total', { decision }),
  )
  const counted = async () => {
    const { value } = await read(meter)
    return ['own', 'forward'].map((decision) => value('stepgate_requests_total', { decision }))
  }
  assert.deepEqual(await counted(), [0, 0])
  own?.()
  forward?.()
  own?.()
  assert.deepEqual(await counted(), [2, 1])
  own?.()
  assert.deepEqual(await counted(), [3, 1])
  assert.deepEqual(await counted(), [3, 1])
})

test('a time that is measured is in seconds', async (t) => {
  let now = 5000
  t.mock.method(performance, 'now', () => now)
  const meter = createPromMeter()
  const stop = meter.start('stepgate_store_seconds')
  now += 1500
  stop({ operation: 'get', store: 'redis' })
  const { value } = await read(meter)
  assert.equal(value('stepgate_store_seconds_sum'), 1.5)
})

test('what has to be asked for is asked for at each reading, and may be absent', async () => {
  const meter = createPromMeter()
  const answers = [3, undefined, 7]
  meter.beforeReading(async () => {
    meter.set('stepgate_budget_used', { channel: 'sms' }, answers.shift())
  })
  const used = async () =>
    (await read(meter)).samples
      .filter(({ name }) => name === 'stepgate_budget_used')
      .map(({ value }) => value)
  assert.deepEqual([await used(), await used(), await used()], [[3], [], [7]])
})

test('several processes are summed, but what all see the same counts once', async () => {
  const [one, other] = [createPromMeter(), createPromMeter()]
  for (const meter of [one, one, other]) {
    meter.count('stepgate_challenges_total', {})
    meter.observe('stepgate_send_to_verification_seconds', { channel: 'sms' }, 4)
    meter.set('stepgate_budget_used', { channel: 'sms' }, 40)
  }
  const { value, samples } = await sums(one, other)
  assert.equal(value('stepgate_challenges_total'), 3)
  assert.equal(value('stepgate_send_to_verification_seconds_count'), 3)
  assert.equal(value('stepgate_send_to_verification_seconds_sum'), 12)
  assert.equal(value('stepgate_send_to_verification_seconds_bucket', { le: '5' }), 3)
  assert.equal(value('stepgate_budget_used'), 40)
  assert.equal(value('stepgate_processes'), 2)
  assert.deepEqual(strayLabels(samples), [])
})

test('of a process that has ended the totals stay, and nothing that was so at a moment', async () => {
  const [gone, there] = [createPromMeter(), createPromMeter()]
  for (const meter of [gone, there]) {
    meter.count('stepgate_challenges_total', {})
    meter.observe('stepgate_send_to_verification_seconds', { channel: 'sms' }, 4)
    meter.set('stepgate_budget_used', { channel: 'sms' }, 40)
  }
  const kept = await keepTotals([await keepTotals([await passed(gone)]), await passed(gone)])
  const { value, text } = readExposition(await exposeSum([kept, await passed(there)]))
  assert.equal(value('stepgate_challenges_total'), 3)
  assert.equal(value('stepgate_send_to_verification_seconds_count'), 3)
  assert.equal(value('stepgate_processes'), 1)
  assert.equal(value('stepgate_budget_used'), 40)
  assert.equal(text.match(/^# TYPE /gm)?.length, new Set(text.match(/^# TYPE \w+/gm)).size)
  assert.match(CONTENT_TYPE, /^text\/plain; version=0\.0\.4/)
})
