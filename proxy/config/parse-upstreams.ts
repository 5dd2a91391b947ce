import { parseTargetPattern } from '../policy/parse-target-pattern.ts'
import { splitRules } from '../policy/split-rules.ts'
import type { Upstream } from './config.ts'
import { parseUpstream, writeAddress } from './parse-url.ts'

/** What is wrong with a statement, as a sentence without the line; lines count from 1. */
export type UpstreamProblem = {
  readonly line: number
  readonly source: string
  readonly problem: string
}

type Place = Pick<Upstream, 'host' | 'path'>
type Report = (problem: string) => void

/** Says that stepgate forwards nothing, and proxies ask it instead. */
export const NO_UPSTREAM = 'none'

const ARROW = /→|->/
const NO_PATH = 'names no path before the arrow; for example /api → http://api:3000'
const NO_ARROW = 'has no arrow; write host/path → address'
const NO_ADDRESS = 'has a place for an address that holds none'
const SPACES =
  'holds white space in an address: several are separated by commas, and a comment needs a line of its own'

/**
 * Reads `STEPGATE_UPSTREAM`: an address for everything, or statements in the manner of
 * `STEPGATE_RULES`, `host/path → address, address`, in which a path covers all that is below it.
 * The upstreams come in the order in which the first that matches is the longest. Never throws; use
 * them only if there are no problems.
 */
export function parseUpstreams(
  text: string,
  publicHost: string,
): { upstreams: readonly Upstream[]; problems: readonly UpstreamProblem[] } {
  const upstreams: Upstream[] = []
  const problems: UpstreamProblem[] = []
  const lines = new Map<string, number>()
  for (const { line, source } of splitRules(text)) {
    const report = (problem: string) => problems.push({ line, source, problem })
    const [places, list] = splitAtArrow(source, publicHost, report)
    const addresses = list === undefined ? undefined : parseAddresses(list, report)
    for (const place of places) {
      const name = writePlace(place)
      const earlier = lines.get(name)
      if (earlier !== undefined) report(`${name} is in line ${earlier} already`)
      lines.set(name, line)
      if (addresses !== undefined) upstreams.push({ ...place, addresses })
    }
  }
  return { upstreams: upstreams.sort(longestFirst), problems }
}

/** `host/path` as in a statement. */
export function writePlace({ host = '', path }: Place): string {
  return host + path
}

/** Without an arrow it is for everything. */
function splitAtArrow(
  source: string,
  publicHost: string,
  report: Report,
): [places: readonly Place[], addresses?: string] {
  const [before = '', behind, ...more] = source.split(ARROW)
  if (behind === undefined) {
    if (!before.startsWith('/') && !before.includes('=>')) return [[{ path: '/' }], before]
    report(NO_ARROW)
    return [[]]
  }
  if (more.length > 0) report('has more than one arrow; each belongs into a line of its own')
  const words = before.split(/\s+/).filter((word) => word !== '')
  if (words.length === 0) report(NO_PATH)
  const places = words.flatMap((word) => parsePlace(word, publicHost, report) ?? [])
  return more.length > 0 ? [places] : [places, behind]
}

function parsePlace(text: string, publicHost: string, report: Report): Place | undefined {
  const stem = text.replace(/\/(\*\*)?$/, '')
  if (stem.includes('*')) {
    report(`${text} has a *: a path covers all that is below it, and nothing else is wild here`)
    return undefined
  }
  const target = parseTargetPattern(`${stem}/**`, publicHost)
  if (target.kind === 'problem') {
    report(target.problem)
    return undefined
  }
  const path = `/${target.pattern.slice(0, -1).join('/')}`
  return target.host === undefined ? { path } : { host: target.host, path }
}

function parseAddresses(list: string, report: Report): Upstream['addresses'] | undefined {
  const addresses = new Map<string, Upstream['addresses'][0]>()
  let failed = false
  const fail = (problem: string) => {
    failed = true
    report(problem)
  }
  for (const text of list.split(',').map((part) => part.trim())) {
    const parsed = /\s/.test(text) || text === '' ? undefined : parseUpstream(text)
    if (parsed === undefined) fail(text === '' ? NO_ADDRESS : SPACES)
    else if (parsed.kind === 'wrong') parsed.problems.forEach(fail)
    else {
      const name = writeAddress(parsed.value)
      if (addresses.has(name)) fail(`names ${name} twice`)
      addresses.set(name, parsed.value)
    }
  }
  const [first, ...others] = addresses.values()
  return failed || first === undefined ? undefined : [first, ...others]
}

/** Those that name a host come first, then those with more segments. */
function longestFirst(a: Upstream, b: Upstream): number {
  return Number(b.host !== undefined) - Number(a.host !== undefined) || depth(b) - depth(a)
}

function depth({ path }: Upstream): number {
  return path === '/' ? 0 : path.split('/').length - 1
}
