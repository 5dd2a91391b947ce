import { replaceTable } from '../config/replace-table.ts'
import { type Definition, METRICS } from './definitions.ts'

/** More values than these are described, not listed. */
const MOST_LISTED = 16

/** The Markdown table of all metrics, made from what registers them. */
export function metricsTable(): string {
  return [
    '| metric | kind | labels | what it tells |',
    '|---|---|---|---|',
    ...Object.entries(METRICS).map(([name, definition]) => tableRow(name, definition)),
    '',
  ].join('\n')
}

/** docs/metrics.md with a fresh table between its markers; throws `MissingMarkersError` without them. */
export function withMetricsTable(page: string): string {
  return replaceTable(page, 'metrics', metricsTable())
}

function tableRow(name: string, { kind, labels, help }: Definition): string {
  const told = Object.entries(labels).map(([label, values]) =>
    values.length > MOST_LISTED ? `\`${label}\`` : `\`${label}\`: ${values.join(', ')}`,
  )
  return `| \`${name}\` | ${kind} | ${told.join('; ')} | ${help} |`
}
