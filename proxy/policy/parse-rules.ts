import { findShadowed } from './find-shadowed.ts'
import { parseStatement } from './parse-statement.ts'
import { compilePathPattern, firstSegmentOf } from './path-pattern.ts'
import type { Rule } from './rule.ts'
import type { Scope } from './scope.ts'
import { splitRules } from './split-rules.ts'

/** What is wrong with a statement, as a sentence without the line; lines count from 1. */
export type RuleProblem = {
  readonly line: number
  readonly source: string
  readonly problem: string
}

/**
 * Reads `STEPGATE_RULES`. Each pattern of a statement becomes a rule of its own, in order. Never
 * throws; a statement with a problem yields no rules, so use the rules only if there are no problems.
 */
export function parseRules(
  text: string,
  publicHost: string,
): { rules: readonly Rule[]; problems: readonly RuleProblem[] } {
  const scopes: Scope[] = []
  const problems: RuleProblem[] = []
  for (const statement of splitRules(text)) {
    const parsed = parseStatement(statement, publicHost)
    scopes.push(...parsed.scopes)
    const { line, source } = statement
    problems.push(...parsed.problems.map((problem) => ({ line, source, problem })))
  }
  problems.push(...findShadowed(scopes))
  problems.sort((a, b) => a.line - b.line)
  return { rules: scopes.map(compileScope), problems }
}

function compileScope({ statement, pattern, text: _, ...rest }: Scope): Rule {
  const firstSegment = firstSegmentOf(pattern)
  return {
    ...rest,
    source: statement.source,
    matchesPath: compilePathPattern(pattern),
    ...(firstSegment !== undefined && { firstSegment }),
  }
}
