import { medianOf, type Round } from './rounds.ts'

/** A ratio or another figure beside what it should be. */
export type Aim = {
  readonly what: string
  readonly value: number
  readonly unit: '×' | 'kB'
  readonly most?: number
  readonly least?: number
}

/** A line of the table. */
export type Line = {
  readonly name: string
  readonly rounds?: readonly Round[]
  /** Where there are no rounds of requests: in their stead, with units. */
  readonly cells?: { readonly cpu?: string; readonly rate?: string; readonly memory?: string }
  readonly aims?: readonly Aim[]
}

const HEAD = ['', 'CPU µs/request', 'requests/s', 'p50 ms', 'p99 ms', 'memory MB', 'aims']

/** The one table, as Markdown; an aim that is missed has a `!`. */
export function writeTable(lines: readonly Line[]): string {
  const rows = [HEAD, ...lines.map(cellsOf)]
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const [head = '', ...rest] = rows.map(
    (row) => `| ${row.map((cell, column) => pad(cell, column, widths[column] ?? 0)).join(' | ')} |`,
  )
  const rule = `|${widths.map((width, column) => ruleOf(width, column)).join('|')}|`
  return [head, rule, ...rest, ''].join('\n')
}

const isText = (column: number) => column === 0 || column === HEAD.length - 1

function pad(cell: string, column: number, width: number): string {
  return isText(column) ? cell.padEnd(width) : cell.padStart(width)
}

function ruleOf(width: number, column: number): string {
  return isText(column) ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`
}

function cellsOf({ name, rounds, cells, aims = [] }: Line): string[] {
  const figures =
    rounds === undefined
      ? [cells?.cpu ?? '', cells?.rate ?? '', '', '', cells?.memory ?? '']
      : [
          medianOf(rounds, 'cpu').toFixed(1),
          medianOf(rounds, 'rate').toFixed(0),
          medianOf(rounds, 'p50').toFixed(2),
          medianOf(rounds, 'p99').toFixed(2),
          medianOf(rounds, 'memory').toFixed(0),
        ]
  return [name, ...figures, aims.map(writeAim).join(', ')]
}

/** E.g. `CPU 1.12 × bare (≤ 1.15)`. */
function writeAim({ what, value, unit, most, least }: Aim): string {
  const shown = unit === '×' ? value.toFixed(2) : value.toFixed(1)
  const bound = most === undefined ? `≥ ${least}` : `≤ ${most}`
  const isMet = value <= (most ?? Number.POSITIVE_INFINITY) && value >= (least ?? 0)
  return `${what} ${shown} ${unit} (${bound})${isMet ? '' : ' !'}`
}
