import type { Rule } from './rule.ts'

/** Rules in the order in which they apply, found by the first segment that a path must have. */
export type RuleIndex = {
  /** The first rule that applies to a path, if it `fits` otherwise too. */
  find(path: string, fits: (rule: Rule) => boolean): Rule | undefined
}

type Placed = { readonly rule: Rule; readonly place: number }

const NONE: readonly Placed[] = []

/** So that a request is not held against hundreds of rules of which few can be meant. */
export function indexRules(rules: readonly Rule[]): RuleIndex {
  const placed = rules.map((rule, place): Placed => ({ rule, place }))
  const bySegment = Map.groupBy(placed, ({ rule }) => rule.firstSegment)
  const anywhere = bySegment.get(undefined) ?? NONE
  return {
    find(path, fits) {
      const some = bySegment.get(firstSegmentOf(path)) ?? NONE
      const one = some.find(({ rule }) => fits(rule))
      const other = anywhere.find(({ rule }) => fits(rule))
      if (one === undefined || other === undefined) return (one ?? other)?.rule
      return one.place < other.place ? one.rule : other.rule
    },
  }
}

/** Without `;parameters`, as no pattern has them. */
function firstSegmentOf(path: string): string {
  for (let i = 1; i < path.length; i++) {
    if (path[i] === '/' || path[i] === ';') return path.slice(1, i)
  }
  return path.slice(1)
}
