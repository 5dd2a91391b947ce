import { replaceTable } from './replace-table.ts'
import type { Variable } from './variable.ts'
import { fullName, VARIABLE_NAMES, VARIABLES, type VariableName } from './variables.ts'

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
  return replaceTable(readme, 'variables', variablesTable())
}

function tableRow(name: VariableName): string {
  const { required, default: text, defaultNote, secret, doc }: Variable = VARIABLES[name]
  const ordinary = required ? 'required' : text === undefined ? '' : `\`${text}\``
  const names = secret ? `\`${fullName(name)}\`, \`…_FILE\`` : `\`${fullName(name)}\``
  const cells = [names, defaultNote ?? ordinary, doc]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
