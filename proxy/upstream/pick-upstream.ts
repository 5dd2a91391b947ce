import type { Upstream } from '../config/config.ts'
import { compilePathPattern, parsePathPattern } from '../policy/path-pattern.ts'
import type { RuleRequest } from '../policy/rule.ts'

/** Where a request goes on to, by what the rules judged: every reading of its host and its path. */
export type PickUpstream<T> = (
  hosts: RuleRequest['hosts'],
  paths: RuleRequest['paths'],
) => T | undefined

/**
 * Compiles upstreams, longest first as the configuration has them. The host that the application is
 * told of as `Host` comes first; one that only a trusted proxy forwards counts if no upstream names
 * the other. Where the readings of a path lead to different upstreams the request leads nowhere.
 */
export function compileUpstreams<T extends Pick<Upstream, 'host' | 'path'>>(
  upstreams: readonly T[],
): PickUpstream<T> {
  const [first] = upstreams
  // The usual case costs nothing.
  if (upstreams.length === 1 && first?.host === undefined && first?.path === '/') return () => first
  const compiled = upstreams.map((upstream) => ({
    upstream,
    host: upstream.host,
    matches: compilePathPattern(parsePathPattern(`${upstream.path}/**`.replace('//', '/'))),
  }))
  const find = (hosts: RuleRequest['hosts'], path: string) => {
    for (const host of hosts) {
      const named = compiled.find((one) => one.host === host && one.matches(path))
      if (named !== undefined) return named.upstream
    }
    return compiled.find((one) => one.host === undefined && one.matches(path))?.upstream
  }
  return (hosts, paths) => {
    const found = find(hosts, paths[0])
    for (let i = 1; i < paths.length; i++) {
      if (find(hosts, paths[i] as string) !== found) return undefined
    }
    return found
  }
}
