import { METHODS } from 'node:http'
import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { type PathPattern, parsePathPattern } from './path-pattern.ts'

/** Where a rule applies, or why no request can ever be there. */
export type TargetPattern =
  | { readonly kind: 'ok'; readonly host?: string; readonly pattern: PathPattern }
  | { readonly kind: 'problem'; readonly problem: string }

/** Reads `/path` or `host/path`. The host comes back in lower case, in ASCII, without port. */
export function parseTargetPattern(text: string, publicHost: string): TargetPattern {
  const slash = text.indexOf('/')
  if (slash < 0) {
    return METHODS.includes(text)
      ? problem(text, 'is a method, and methods come before the paths')
      : problem(text, 'is no path: a path begins with / or with host/')
  }
  const path = text.slice(slash)
  if (/^https?:$/i.test(text.slice(0, slash))) {
    return problem(text, 'begins with a scheme; write host/path without it')
  }
  const why = impossible(path)
  if (why !== undefined) return problem(text, `can never match: ${why}`)
  if (segmentsOf(path).some((segment) => segment.includes('**') && segment !== '**')) {
    return problem(text, 'has ** beside other characters; within a segment write *')
  }
  const pattern = parsePathPattern(path)
  if (pattern[0] === '_stepgate') {
    return problem(text, 'can never match: /_stepgate/ is never judged by rules')
  }
  if (slash === 0) return { kind: 'ok', pattern }
  const host = parseRuleHost(text.slice(0, slash), publicHost)
  return host === undefined
    ? problem(text, 'begins neither with / nor with a host name')
    : { kind: 'ok', host, pattern }
}

/** What no canonical path can hold. */
function impossible(path: string): string | undefined {
  const segments = segmentsOf(path)
  if (segments.slice(0, -1).includes('')) return 'requests with // are refused'
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    return 'requests with /./ or /../ are refused'
  }
  if (path.includes('\\')) return 'requests with a backslash are refused'
  if (path.includes(';')) return 'paths are compared without their ;parameters'
  if (path.includes('?')) return 'paths are compared without their query'
  if (path.includes('#')) return 'a comment needs a line of its own, and no request holds #'
  if (path.includes('%')) return 'paths are compared decoded; write the character itself'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\0-\x1f\x7f]/.test(path)) return 'requests with control characters are refused'
  return undefined
}

function segmentsOf(path: string): string[] {
  return path.split('/').slice(1)
}

/** A word without a dot is rather a path whose slash was forgotten, unless it is our own host. */
function parseRuleHost(text: string, publicHost: string): string | undefined {
  const match = /^(\[[\da-f:.]+\]|[^:[\]*\s]+?)\.?(?::\d{1,5})?$/i.exec(text)
  const name = match?.[1] ?? ''
  if (name.startsWith('[')) return isIP(name.slice(1, -1)) === 6 ? canonicalV6(name) : undefined
  const host = domainToASCII(name)
  if (!/^[\w-]+(\.[\w-]+)*$/.test(host)) return undefined
  return host.includes('.') || host === 'localhost' || host === publicHost.toLowerCase()
    ? host
    : undefined
}

function canonicalV6(literal: string): string {
  return new URL(`http://${literal}`).hostname
}

function problem(text: string, why: string): TargetPattern {
  return { kind: 'problem', problem: `${text} ${why}` }
}
