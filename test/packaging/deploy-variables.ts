import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './dockerfile.ts'

/** The `STEPGATE_` variables in one of deploy's files, each on one line or a name and a value. */
export function deployVariables(name: 'compose.yaml' | 'kubernetes.yaml'): Record<string, string> {
  const text = readFileSync(join(ROOT, 'deploy', name), 'utf8')
  const pattern =
    name === 'compose.yaml'
      ? /^ {6}(STEPGATE_\w+): (.+)$/gm
      : /^ {12}- name: (STEPGATE_\w+)\n {14}value: (.+)$/gm
  return Object.fromEntries(
    [...text.matchAll(pattern)].map(([, variable = '', value = '']) => [variable, unquote(value)]),
  )
}

function unquote(value: string): string {
  return value.replace(/^"(.*)"$/, '$1')
}
