import { findRule } from './decide.ts'
import type { Rule, RuleRequest } from './rule.ts'

/** Whether an access token may stand for a session here: for each reading of the request. */
export function takesBearer(
  rules: readonly Rule[],
  { method, hosts, paths }: RuleRequest,
): boolean {
  return hosts.every((host) =>
    paths.every((path) => findRule(rules, method.toUpperCase(), host, path)?.bearer === true),
  )
}
