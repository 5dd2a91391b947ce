import type { PathPattern } from './path-pattern.ts'
import type { Rule } from './rule.ts'
import type { Statement } from './split-rules.ts'

/** A rule before its pattern is compiled; patterns of one statement share it. */
export type Scope = Omit<Rule, 'source' | 'matchesPath' | 'firstSegment'> & {
  readonly statement: Statement
  /** The pattern as written, with its host. */
  readonly text: string
  readonly pattern: PathPattern
}
