import type { Session } from '../session/session.ts'
import type { RequiredAcr } from './acr.ts'
import { indexRules, type RuleIndex } from './index-rules.ts'
import type { Decision, Demand, Rule, RuleRequest } from './rule.ts'
import { isPast, isSignedInWithin, satisfies } from './satisfies.ts'

const FORWARD: Decision = { kind: 'forward' }
const DENY_BY_RULE: Decision = { kind: 'deny', reason: 'rule' }
const DENY_BY_GROUPS: Decision = { kind: 'deny', reason: 'groups' }

/**
 * What to do with a request: for each reading of its host and path the first rule that matches
 * decides, or else the default; of several readings the strictest decision counts. What is not
 * understood is never forwarded.
 */
export function decide(
  rules: readonly Rule[],
  defaultAcr: RequiredAcr,
  session: Session | undefined,
  request: RuleRequest,
  now: number,
): Decision {
  const known = session !== undefined && isIntact(session, now) ? session : undefined
  const method = request.method.toUpperCase()
  let strictest: Decision | undefined
  for (const host of request.hosts) {
    for (const path of request.paths) {
      const rule = findRule(rules, method, host, path)
      const decision = judge(rule ?? { requires: defaultAcr }, known, now)
      if (strictest === undefined || isStricter(decision, strictest)) strictest = decision
    }
  }
  return strictest ?? DENY_BY_RULE
}

/** The rule for one reading of a request; `method` in upper case. */
export function findRule(
  rules: readonly Rule[],
  method: string,
  host: string,
  path: string,
): Rule | undefined {
  let index = indexes.get(rules)
  if (index === undefined) {
    index = indexRules(rules)
    indexes.set(rules, index)
  }
  return index.find(path, (candidate) => matches(candidate, method, host, path))
}

/** Made once for each list of rules. */
const indexes = new WeakMap<readonly Rule[], RuleIndex>()

/** Methods compare ignoring case: an application may well read `post` as POST. */
function matches(rule: Rule, method: string, host: string, path: string): boolean {
  return (
    (rule.host === undefined || rule.host === host) &&
    (rule.methods === undefined ||
      rule.methods.has(method) ||
      (method === 'HEAD' && rule.methods.has('GET'))) &&
    rule.matchesPath(path)
  )
}

function judge(
  {
    requires,
    groups,
    maxAge,
    signedInWithin,
  }: Pick<Rule, 'requires' | 'groups' | 'maxAge' | 'signedInWithin'>,
  session: Session | undefined,
  now: number,
): Decision {
  switch (requires) {
    case 'public':
      return FORWARD
    case 'basic':
    case 'twilio_sms':
      if (session === undefined) return signIn(signedInWithin)
      if (!isMember(session, groups)) return DENY_BY_GROUPS
      if (signedInWithin !== undefined && !isSignedInWithin(session, signedInWithin, now)) {
        return signIn(signedInWithin)
      }
      if (requires === 'basic' || satisfies(session, { maxAge }, now)) return FORWARD
      return { kind: 'step-up', acr: 'twilio_sms', ...(maxAge !== undefined && { maxAge }) }
    default:
      return DENY_BY_RULE
  }
}

function signIn(maxAge: number | undefined): Decision {
  return maxAge === undefined ? { kind: 'sign-in' } : { kind: 'sign-in', maxAge }
}

function isMember(session: Session, groups: readonly string[] | undefined): boolean {
  return groups === undefined || groups.some((group) => session.groups.includes(group))
}

/** A session that says something impossible says nothing. */
function isIntact({ acr, createdAt, seenAt, authTime }: Session, now: number): boolean {
  return (
    (acr === 'basic' || acr === 'twilio_sms') &&
    isPast(createdAt, now) &&
    isPast(seenAt, now) &&
    // By the provider's clock, so it may well be ahead of ours.
    Number.isFinite(authTime)
  )
}

const STRICTNESS: Readonly<Record<Decision['kind'], number>> = {
  forward: 0,
  'step-up': 1,
  'sign-in': 2,
  deny: 3,
}

function isStricter(a: Decision, b: Decision): boolean {
  if (a.kind === b.kind && (a.kind === 'step-up' || a.kind === 'sign-in')) {
    const { maxAge = Number.POSITIVE_INFINITY } = b as Demand
    return (a.maxAge ?? Number.POSITIVE_INFINITY) < maxAge
  }
  return STRICTNESS[a.kind] > STRICTNESS[b.kind]
}
