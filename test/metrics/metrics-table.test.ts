import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { METRICS } from '../../proxy/metrics/definitions.ts'
import { metricsTable, withMetricsTable } from '../../proxy/metrics/metrics-table.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8')

test('the table of docs/metrics.md is what is registered (npm run docs brings it up to date)', () => {
  assert.equal(page, withMetricsTable(page))
})

test('every metric has a row of four cells, with the values of its labels but for countries', () => {
  const rows = metricsTable().trimEnd().split('\n').slice(2)
  assert.equal(rows.length, Object.keys(METRICS).length)
  for (const [index, [name, { kind, help }]] of Object.entries(METRICS).entries()) {
    const cells = rows[index]?.split(' | ') ?? []
    assert.deepEqual([cells[0], cells[1], cells[3]], [`| \`${name}\``, kind, `${help} |`])
  }
  assert.match(metricsTable(), /\| `kind`: wait, locked \|/)
  assert.match(metricsTable(), /; `country`; `outcome`: sent, /)
})

test('its alerts ask for metrics that there are', () => {
  const [, alerts = ''] = /```yaml\n(.*?)```/s.exec(page) ?? []
  const names = new Set(alerts.match(/stepgate_\w+/g))
  assert.equal(alerts.match(/- alert: /g)?.length, 2)
  assert.ok(names.size >= 3)
  for (const name of names) assert.ok(name in METRICS, name)
})
