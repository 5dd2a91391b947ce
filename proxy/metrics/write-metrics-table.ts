import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withMetricsTable } from './metrics-table.ts'

// Run by `npm run docs`: brings the table of metrics up to date.
const page = join(import.meta.dirname, '../../docs/metrics.md')
writeFileSync(page, withMetricsTable(readFileSync(page, 'utf8')))
