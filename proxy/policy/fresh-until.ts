import type { Session } from '../session/session.ts'
import { findRule } from './decide.ts'
import type { Rule, RuleRequest } from './rule.ts'

/**
 * The moment from which `decide` no longer lets the same request through, as its code has become too
 * old for the `max_age` of a rule (epoch ms); Infinity where no rule asks for one.
 */
export function freshUntil(
  rules: readonly Rule[],
  session: Session | undefined,
  { method, hosts, paths }: RuleRequest,
): number {
  const otpTime = session?.otpTime
  if (otpTime === undefined) return Number.POSITIVE_INFINITY
  const ages = hosts.flatMap((host) =>
    paths.map((path) => findRule(rules, method.toUpperCase(), host, path)?.maxAge),
  )
  return Math.min(
    ...ages.map((age) => (age === undefined ? Number.POSITIVE_INFINITY : otpTime + age + 1)),
  )
}
