import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Definition, METRICS } from '../../proxy/metrics/definitions.ts'

const ALL: readonly (readonly [string, Definition])[] = Object.entries(METRICS)

test('names say what is counted, as Prometheus wants them', () => {
  for (const [name, { kind }] of ALL) {
    assert.match(name, /^stepgate_[a-z_]+$/)
    assert.equal(name.endsWith('_total'), kind === 'counter', name)
    assert.equal(name.endsWith('_seconds'), kind === 'histogram', name)
  }
})

test('each is explained in a sentence', () => {
  for (const [name, { help }] of ALL) assert.match(help, /^[A-Z].+[a-z\d]\)?\.$/, name)
})

test('labels have few values, in words, but for countries', () => {
  const names = new Set(ALL.flatMap(([, { labels }]) => Object.keys(labels)))
  assert.deepEqual([...names].toSorted(), [
    'alarm',
    'channel',
    'country',
    'decision',
    'kind',
    'limit',
    'operation',
    'outcome',
    'reason',
    'state',
    'store',
  ])
  for (const [metric, { labels }] of ALL) {
    for (const [label, values] of Object.entries(labels)) {
      assert.equal(new Set(values).size, values.length, metric)
      if (label === 'country') continue
      assert.ok(values.length <= 16, metric)
      for (const value of values) assert.match(value, /^[a-z1-5_-]+$/, metric)
    }
  }
  const { country } = METRICS.stepgate_sends_total.labels
  assert.ok(country.length > 200 && country.length < 300)
  for (const value of country) assert.match(value, /^([A-Z]{2}|unknown)$/)
})

test('buckets grow', () => {
  for (const [name, definition] of ALL) {
    if (definition.kind !== 'histogram') continue
    assert.deepEqual(
      definition.buckets,
      definition.buckets.toSorted((one, other) => one - other),
      name,
    )
  }
})
