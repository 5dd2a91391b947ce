import { isIPv4, isIPv6 } from 'node:net'
import type { ListenAddress } from './config.ts'
import { parseSocketPath } from './parse-url.ts'
import { ok, type Parsed, wrong } from './parsed.ts'

/** `8080`, `:8080`, `127.0.0.1:8080`, `[::1]:8080`, `name:8080` or `unix:/path`; port 0 picks one. */
export function parseListen(text: string): Parsed<ListenAddress> {
  if (text.startsWith('unix:')) {
    const path = parseSocketPath(text)
    return path.kind === 'ok' ? ok({ kind: 'unix', path: path.value }) : path
  }
  const match = /^(?:(?<v6>\[[^\]]*\]):|(?<name>[^:[\]]*):)?(?<port>\d{1,5})$/.exec(text)
  if (!match?.groups) {
    return wrong('it must be a port, :port, address:port, [IPv6 address]:port or unix:/path')
  }
  const port = Number(match.groups.port)
  if (port > 65_535) return wrong('a port is at most 65535')
  const host = match.groups.v6?.slice(1, -1) ?? match.groups.name
  if (match.groups.v6 === undefined && !host) return ok({ kind: 'tcp', port })
  if (host === undefined || !isHost(host, match.groups.v6 !== undefined)) {
    return wrong('what stands before the port is no IP address or host name')
  }
  return ok({ kind: 'tcp', host, port })
}

/** The same, or `off`. */
export function parseListenOrOff(text: string): Parsed<ListenAddress | 'off'> {
  return text === 'off' ? ok('off') : parseListen(text)
}

function isHost(host: string, bracketed: boolean): boolean {
  if (bracketed) return isIPv6(host)
  return isIPv4(host) || /^(?=.*[a-z])[a-z\d]([a-z\d.-]*[a-z\d])?$/i.test(host)
}
