import { CLOCK_SKEW, type Session } from '../session/session.ts'
import { findRule } from './decide.ts'
import type { Rule, RuleRequest } from './rule.ts'

/**
 * The moment from which `decide` no longer lets the same request through, as its code or its sign-in
 * has become too old for a rule (epoch ms); Infinity where no rule asks for a fresh one.
 */
export function freshUntil(
  rules: readonly Rule[],
  session: Session | undefined,
  { method, hosts, paths }: RuleRequest,
): number {
  if (session === undefined) return Number.POSITIVE_INFINITY
  const { authTime, otpTime = Number.POSITIVE_INFINITY } = session
  const ends = hosts.flatMap((host) =>
    paths.flatMap((path) => {
      const rule = findRule(rules, method.toUpperCase(), host, path)
      const { maxAge = Number.POSITIVE_INFINITY, signedInWithin } = rule ?? {}
      const signIn = (signedInWithin ?? Number.POSITIVE_INFINITY) + CLOCK_SKEW
      return [otpTime + maxAge + 1, authTime + signIn + 1]
    }),
  )
  return Math.min(...ends)
}
