import { coversPattern } from './path-pattern.ts'
import type { Scope } from './scope.ts'

type Shadowed = { readonly scope: Scope; readonly by: Scope }

/**
 * Rules that can never match because an earlier statement matches all that they do. Groups and
 * `max_age` don't count: a rule that names them decides too. A pattern that merely repeats what an
 * earlier rule says is let pass while its statement has others that can match.
 */
export function findShadowed(
  scopes: readonly Scope[],
): { line: number; source: string; problem: string }[] {
  const shadowed = scopes.flatMap((scope, index) => {
    const by = scopes.slice(0, index).find((earlier) => shadows(earlier, scope))
    return by === undefined ? [] : [{ scope, by }]
  })
  const hidden = new Set(shadowed.map(({ scope }) => scope))
  const alive = new Set(
    scopes.filter((scope) => !hidden.has(scope)).map((scope) => scope.statement),
  )
  return shadowed
    .filter(({ scope, by }) => !alive.has(scope.statement) || !sameOutcome(scope, by))
    .map(describe)
}

function describe({ scope, by }: Shadowed) {
  const { line, source } = scope.statement
  const where = by.statement.line === line ? 'earlier in line' : 'line'
  const problem = `${scope.text} can never match: ${where} ${by.statement.line} (${by.statement.source}) matches all of it first`
  return { line, source, problem }
}

function shadows(earlier: Scope, later: Scope): boolean {
  return (
    earlier.statement !== later.statement &&
    (earlier.host === undefined || earlier.host === later.host) &&
    (earlier.methods === undefined || coversMethods(earlier.methods, later.methods)) &&
    coversPattern(earlier.pattern, later.pattern)
  )
}

function coversMethods(wide: ReadonlySet<string>, narrow: ReadonlySet<string> | undefined) {
  if (narrow === undefined) return false
  return [...narrow].every((method) => wide.has(method) || (method === 'HEAD' && wide.has('GET')))
}

function sameOutcome(a: Scope, b: Scope): boolean {
  return (
    a.requires === b.requires &&
    a.maxAge === b.maxAge &&
    a.signedInWithin === b.signedInWithin &&
    a.bearer === b.bearer &&
    JSON.stringify(a.groups) === JSON.stringify(b.groups)
  )
}
