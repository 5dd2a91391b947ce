import { parseDuration } from '../config/duration.ts'
import { nearestName } from '../config/nearest-name.ts'
import { parseMethods } from './parse-methods.ts'
import { parseTargetPattern } from './parse-target-pattern.ts'
import type { Rule } from './rule.ts'
import type { Scope } from './scope.ts'
import type { Statement } from './split-rules.ts'

type Requires = Rule['requires']
type Options = { maxAge?: number; signedInWithin?: number; groups?: readonly string[] }

const REQUIRES: readonly Requires[] = ['public', 'basic', 'twilio_sms', 'deny']
/** Also what people may write for them. */
const ACR_NAMES: Readonly<Record<string, Requires>> = {
  ...Object.fromEntries(REQUIRES.map((name) => [name, name])),
  twilio: 'twilio_sms',
  sms: 'twilio_sms',
}
const COMMENT = 'a comment needs a line of its own'
const OPTIONS = ['max_age', 'signed_in_within', 'groups']

// In ms: a person needs time to come back from the provider, whose clock is another.
const SHORTEST_SIGN_IN = 60_000

/** One statement as one scope a pattern, or with all that is wrong with it and no scopes. */
export function parseStatement(
  statement: Statement,
  publicHost: string,
): { scopes: readonly Scope[]; problems: readonly string[] } {
  if (statement.openQuote) return { scopes: [], problems: ['a double quote is never closed'] }
  const problems: string[] = []
  const [first = '', ...others] = statement.words
  const rest = others.filter((word) => !isBearer(word))
  const requires = REQUIRES.find((known) => known === first)
  if (requires === undefined) return { scopes: [], problems: [unknownAcr(first)] }
  if (rest.some((word) => word.startsWith('#'))) return { scopes: [], problems: [COMMENT] }
  const methods = isMethods(rest[0]) ? parseMethods(rest.shift() as string, problems) : undefined
  const patterns = rest.filter((word) => !isOption(word)).map(unquote)
  const options = parseOptions(rest.filter(isOption), requires, problems)
  const bearer = parseBearer(others.filter(isBearer), requires, problems)
  const targets = patterns.flatMap((text) => {
    const target = parseTargetPattern(text, publicHost)
    if (target.kind === 'ok') return [{ text, target }]
    problems.push(target.problem)
    return []
  })
  if (problems.length === 0 && patterns.length === 0) {
    problems.push('names no path; for example basic /reports/**')
  }
  if (problems.length > 0) return { scopes: [], problems }
  const scopes = targets.map(({ text, target: { host, pattern } }) => ({
    statement,
    text,
    pattern,
    requires,
    ...options,
    ...(bearer && ({ bearer } as const)),
    ...(methods !== undefined && { methods }),
    ...(host !== undefined && { host }),
  }))
  return { scopes, problems }
}

function unknownAcr(word: string): string {
  if (word.startsWith('#')) return COMMENT
  const nearest = nearestName(word.toLowerCase(), Object.keys(ACR_NAMES))
  return `${word} is none of ${REQUIRES.join(', ')}; the nearest is ${ACR_NAMES[nearest ?? '']}`
}

function isMethods(word: string | undefined): boolean {
  return word !== undefined && !/[/.:="*#]/.test(word)
}

function isBearer(word: string): boolean {
  return /^bearer(?:=.*)?$/i.test(word)
}

function parseBearer(words: readonly string[], requires: Requires, problems: string[]): boolean {
  const wrong = words.find((word) => word !== 'bearer')
  if (wrong !== undefined) problems.push(`${wrong} is written bearer, without a value`)
  if (words.length > 1) problems.push('bearer is given twice')
  if (words.length > 0 && (requires === 'public' || requires === 'deny')) {
    problems.push(`bearer needs a rule that people sign in for, not ${requires}`)
  }
  return words.length > 0
}

function isOption(word: string): boolean {
  return /^[\w-]+=/.test(word)
}

function parseOptions(words: readonly string[], requires: Requires, problems: string[]): Options {
  const options: Options = {}
  const seen = new Set<string>()
  for (const word of words) {
    const name = word.slice(0, word.indexOf('='))
    const value = word.slice(name.length + 1)
    if (seen.has(name)) problems.push(`${name} is given twice`)
    seen.add(name)
    if (name === 'max_age') options.maxAge = parseMaxAge(value, requires, problems)
    else if (name === 'signed_in_within') {
      options.signedInWithin = parseSignedInWithin(value, requires, problems)
    } else if (name === 'groups') options.groups = parseGroups(value, requires, problems)
    else problems.push(`${name} is unknown; the nearest option is ${nearestName(name, OPTIONS)}`)
  }
  return options
}

function parseMaxAge(value: string, requires: Requires, problems: string[]): number {
  const maxAge = parseDuration(unquote(value)) ?? 0
  if (maxAge === 0) problems.push(`max_age=${value} is no duration such as 30s, 15m or 8h`)
  if (requires !== 'twilio_sms') {
    problems.push(`max_age says how old a code may be, so it needs twilio_sms, not ${requires}`)
  }
  return maxAge
}

function parseSignedInWithin(value: string, requires: Requires, problems: string[]): number {
  const within = parseDuration(unquote(value))
  if (within === undefined) {
    problems.push(`signed_in_within=${value} is no duration such as 15m, 8h or 1d`)
  } else if (within < SHORTEST_SIGN_IN) {
    problems.push(`signed_in_within=${value} is too short to come back in: at least 1m`)
  }
  if (requires === 'public' || requires === 'deny') {
    problems.push(`signed_in_within needs a rule that people sign in for, not ${requires}`)
  }
  return within ?? 0
}

function parseGroups(value: string, requires: Requires, problems: string[]): readonly string[] {
  const groups = (value.match(/(?:[^,"]|"[^"]*")+|(?<=^|,)(?=,|$)/g) ?? []).map(unquote)
  if (groups.length === 0 || groups.includes('')) {
    problems.push('groups holds an empty name; for example groups=hr,"Domain Admins"')
  }
  if (requires === 'public' || requires === 'deny') {
    problems.push(`groups needs a rule that people sign in for, not ${requires}`)
  }
  return groups
}

function unquote(text: string): string {
  return text.replaceAll('"', '').trim()
}
