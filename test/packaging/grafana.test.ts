import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Definition, METRICS } from '../../proxy/metrics/definitions.ts'
import { createPromMeter } from '../../proxy/metrics/meter-prom.ts'
import { metricOf } from '../support/own-metrics.ts'
import { ROOT } from './dockerfile.ts'

type Panel = {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly datasource?: unknown
  readonly gridPos: {
    readonly x: number
    readonly y: number
    readonly w: number
    readonly h: number
  }
  readonly targets?: readonly { readonly expr: string; readonly datasource: unknown }[]
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: it is Grafana's
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' }
const DEFINITIONS: Readonly<Record<string, Definition>> = METRICS

const dashboard = JSON.parse(readFileSync(join(ROOT, 'deploy/grafana.json'), 'utf8'))
const panels: readonly Panel[] = dashboard.panels
const shown = panels.filter(({ type }) => type !== 'row')
const queries = shown.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))

/** The metrics in a query, without what a histogram's names end in. */
const metricsIn = (query: string) =>
  [...query.matchAll(/\b(?:stepgate|process|nodejs)_\w+/g)].map(([name]) => metricOf(name))

test('every metric that it asks for is registered', async () => {
  const reading = await createPromMeter().read()
  const registered = new Set(reading.map((metric) => 'name' in metric && metric.name))
  assert.ok(queries.length >= shown.length)
  for (const query of queries) {
    const names = metricsIn(query)
    assert.ok(names.length > 0, query)
    for (const name of names) assert.ok(registered.has(name), name)
  }
})

test('every metric of stepgate is shown', () => {
  const asked = new Set(queries.flatMap(metricsIn))
  for (const name of Object.keys(METRICS)) assert.ok(asked.has(name), name)
})

test('labels and their values are those that the metrics have', () => {
  for (const query of queries) {
    const own = metricsIn(query).flatMap((name) => Object.entries(DEFINITIONS[name]?.labels ?? {}))
    const labels: ReadonlyMap<string, readonly string[]> = new Map(own)
    for (const [, list = ''] of query.matchAll(/\bby \(([^)]*)\)/g)) {
      for (const label of list.split(', ')) {
        assert.ok(['le', 'instance'].includes(label) || labels.has(label), query)
      }
    }
    for (const [, label = '', value = ''] of query.matchAll(/(\w+)="([^"]*)"/g)) {
      assert.ok(labels.get(label)?.includes(value), query)
    }
  }
})

test('Prometheus and the job are chosen at its top', () => {
  const [datasource, job] = dashboard.templating.list
  assert.deepEqual([datasource.name, datasource.type], ['datasource', 'datasource'])
  assert.equal(datasource.query, 'prometheus')
  assert.equal(job.query.query, 'label_values(stepgate_processes, job)')
  for (const { datasource: used, targets = [] } of shown) {
    for (const each of [used, ...targets.map((target) => target.datasource)]) {
      assert.deepEqual(each, DATASOURCE)
    }
  }
  for (const query of queries) {
    const selectors = query.match(/\{[^}]*\}/g) ?? []
    assert.equal(selectors.length, metricsIn(query).length, query)
    for (const selector of selectors) assert.match(selector, /job=~"\$job"/)
  }
})

test('panels have numbers of their own and lie beside one another', () => {
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  const taken = new Set<string>()
  for (const { title, gridPos } of panels) {
    assert.ok(gridPos.x + gridPos.w <= 24, title)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.ok(!taken.has(`${x} ${y}`), title)
        taken.add(`${x} ${y}`)
      }
    }
  }
})
