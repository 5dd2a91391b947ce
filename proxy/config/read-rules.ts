import { matchesGroup } from '../policy/matches-group.ts'
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
  reportForgotten(rules, values.OIDC_GROUPS, report)
  return rules
}

/** A rule for a group that nobody can be known to be in lets nobody through. */
function reportForgotten(
  rules: readonly Rule[],
  kept: readonly string[] | undefined,
  report: Report,
): void {
  if (kept === undefined) return
  for (const group of new Set(rules.flatMap(({ groups = [] }) => groups))) {
    if (matchesGroup(kept, group)) continue
    report('OIDC_GROUPS', `leaves out ${quote(group)}, which a rule in STEPGATE_RULES asks for`)
  }
}
