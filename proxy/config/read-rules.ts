import { parseRules } from '../policy/parse-rules.ts'
import type { Rule } from '../policy/rule.ts'
import { quote } from './problem.ts'
import type { Report, Settings } from './settings.ts'

/** The compiled rules; each bad line is a problem of its own. */
export function readRules({ values }: Settings, report: Report): readonly Rule[] {
  const { RULES: text, PUBLIC_URL: publicUrl } = values
  if (text === undefined) return []
  const { rules, problems } = parseRules(text, publicUrl?.hostname ?? '')
  for (const { line, source, problem } of problems) {
    report('RULES', `line ${line}, ${quote(source)}: ${problem}`)
  }
  return rules
}
