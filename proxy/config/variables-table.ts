import type { Variable } from './variable.ts'
import { fullName, VARIABLE_NAMES, VARIABLES, type VariableName } from './variables.ts'

const BEGIN = '<!-- variables:begin -->'
const END = '<!-- variables:end -->'

/** The Markdown table of all variables, made from what reads them. */
export function variablesTable(): string {
  return [
    '| variable | default | what it does |',
    '|---|---|---|',
    ...VARIABLE_NAMES.map(tableRow),
    '',
  ].join('\n')
}

/** The README with a fresh table between its markers; throws `MissingMarkersError` without them. */
export function withVariablesTable(readme: string): string {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)]
  if (begin < 0 || end < begin) throw new MissingMarkersError()
  const before = readme.slice(0, begin + BEGIN.length)
  return `${before}\n\n${variablesTable()}\n${readme.slice(end)}`
}

/** A README that has no place for the table. */
export class MissingMarkersError extends Error {
  readonly code = 'missing_markers'
  constructor() {
    super(`README.md has no ${BEGIN} … ${END}`)
    this.name = 'MissingMarkersError'
  }
}

function tableRow(name: VariableName): string {
  const { required, default: text, defaultNote, secret, doc }: Variable = VARIABLES[name]
  const ordinary = required ? 'required' : text === undefined ? '' : `\`${text}\``
  const names = secret ? `\`${fullName(name)}\`, \`…_FILE\`` : `\`${fullName(name)}\``
  const cells = [names, defaultNote ?? ordinary, doc]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
