import { isIPv6 } from 'node:net'
import { remember } from '../remember.ts'
import { valuesOf } from './raw-headers.ts'

/** Why there is no host to speak of. */
export type HostProblem = 'missing-host' | 'repeated-host' | 'malformed-host'

/** The host of a request: `host` for rules, `authority` as received. */
export type ParsedHost =
  | {
      readonly kind: 'ok'
      /** Lower case, without port and without a dot at the end; IPv6 in brackets and short form. */
      readonly host: string
      readonly authority: string
    }
  | { readonly kind: 'rejected'; readonly reason: HostProblem }

/** Reads the one Host header that a request must have (RFC 9112 §3.2), from node's raw list. */
export function parseHost(rawHeaders: readonly string[]): ParsedHost {
  const [authority, ...more] = valuesOf(rawHeaders, 'host')
  if (authority === undefined) return { kind: 'rejected', reason: 'missing-host' }
  if (more.length > 0) return { kind: 'rejected', reason: 'repeated-host' }
  const host = parseAuthority(authority)
  return host === undefined
    ? { kind: 'rejected', reason: 'malformed-host' }
    : { kind: 'ok', host, authority }
}

/**
 * The host of `name`, `name:port`, `[IPv6]` or `[IPv6]:port`, as in `ParsedHost`; undefined for
 * anything else. Host names may hold `_`, as intranets do.
 */
export const parseAuthority = remember(readAuthority)

function readAuthority(authority: string): string | undefined {
  if (authority.length > 300) return undefined
  const match = /^(?:([\w-]+(?:\.[\w-]+)*)\.?|\[([\da-f:.]+)\])(?::(\d{1,5}))?$/i.exec(authority)
  if (match === null) return undefined
  const [, name, v6, port] = match
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return undefined
  // An IPv4 address that is none, which URL parsers take offence at.
  if (v6 === undefined) return URL.canParse(`http://${name}`) ? name?.toLowerCase() : undefined
  return isIPv6(v6) ? new URL(`http://[${v6}]`).hostname : undefined
}
