import { remember } from '../remember.ts'
import type { Client } from '../request/client-address.ts'
import {
  addConnectionOptions,
  foldName,
  PLAIN_CONNECTION,
  withoutHeaders,
} from './header-verdicts.ts'
import { compileOwnCookies, type OwnCookies, withoutOwnCookies } from './own-cookies.ts'
import { announcedTrailers } from './trailers.ts'
import { writeForwarded } from './write-forwarded.ts'

/** What the header rebuild needs to know of the configuration, compiled once. */
export type HeaderSettings = {
  readonly judge: (name: string) => Verdict
  /** Whether a trailer may have this name. */
  readonly mayTrail: (name: string) => boolean
  readonly ownCookies: OwnCookies
  /** Headers that hold the client's address and nothing else. */
  readonly addressNames: readonly string[]
}

/** Who sent a request, as the front door believes it, and what else its header list does not say. */
export type ClientFacts = Pick<Client, 'chain' | 'host' | 'proto'> & {
  readonly requestId: string
  /** The body has no length, of which HTTP/2 has no header. */
  readonly chunked?: boolean
}

type Verdict = 'keep' | 'drop' | 'host' | 'cookie' | 'connection' | 'chunked' | 'trailer' | 'te'

/** Hop-by-hop (RFC 9110 §7.6.1), and `Expect`, which the forwarder writes. */
const HOP_BY_HOP = [
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'upgrade',
  'http2-settings',
  'expect',
]

/** Make some application serve another target than the one that was judged, or (`Proxy`, httpoxy) worse. */
export const MISLEADING = [
  'x-original-url',
  'x-original-uri',
  'x-original-host',
  'x-rewrite-url',
  'x-host',
  'x-script-name',
  'forwarded',
  'proxy',
]

/** Name a client's address to some applications; a trusted proxy may have passed them on as they came. */
const CLIENT_ADDRESSES = [
  'x-real-ip',
  'x-client-ip',
  'client-ip',
  'true-client-ip',
  'x-cluster-client-ip',
  'x-original-forwarded-for',
  'x-originating-ip',
  'x-remote-ip',
  'x-remote-addr',
  'remote-addr',
  'cf-connecting-ip',
  'cf-connecting-ipv6',
  'fastly-client-ip',
  'fly-client-ip',
  'x-azure-clientip',
  'x-envoy-external-address',
  'x-appengine-user-ip',
  'x-vercel-forwarded-for',
  'proxy-client-ip',
  'wl-proxy-client-ip',
]

/** Make some application take another method than the one that was judged. */
export const METHOD_OVERRIDES = ['x-http-method-override', 'x-http-method', 'x-method-override']

/** Headers of stepgate's own beside the identity headers and all of `X-Forwarded-` and `X-Stepgate-`. */
const OWN_HEADERS = ['x-request-id', 'x-forwarded', 'x-stepgate']

const SPECIAL: Readonly<Record<string, Verdict>> = {
  host: 'host',
  cookie: 'cookie',
  connection: 'connection',
  'content-length': 'keep',
  'transfer-encoding': 'chunked',
  trailer: 'trailer',
  te: 'te',
}

/** What a `Connection` header can't take away: framing, routing and what is cleaned here. */
const LASTING = ['host', 'content-length', 'cookie']

/** Compiles which client headers may pass; names in any case. */
export function compileHeaderSettings(options: {
  readonly identityNames: readonly string[]
  /** Others, that hold the client's address. */
  readonly addressNames: readonly string[]
  readonly ownCookieNames: readonly string[]
  /** Whether a rule names methods, so that the method must be the one that was judged. */
  readonly rulesNameMethods: boolean
}): HeaderSettings {
  const dropped = new Set([
    ...HOP_BY_HOP,
    ...MISLEADING,
    ...CLIENT_ADDRESSES,
    ...OWN_HEADERS,
    ...(options.rulesNameMethods ? METHOD_OVERRIDES : []),
    ...[...options.identityNames, ...options.addressNames].map(foldName),
  ])
  const judge = remember((name) => judgeName(name, dropped))
  return {
    judge,
    mayTrail: (name) => judge(name) === 'keep',
    ownCookies: compileOwnCookies(options.ownCookieNames),
    addressNames: options.addressNames,
  }
}

function judgeName(name: string, dropped: ReadonlySet<string>): Verdict {
  const folded = foldName(name)
  if (dropped.has(folded)) return 'drop'
  if (Object.hasOwn(SPECIAL, folded)) {
    return name.toLowerCase() === folded ? (SPECIAL[folded] as Verdict) : 'drop'
  }
  const ours = folded.startsWith('x-stepgate-') || folded.startsWith('x-forwarded-')
  return ours ? 'drop' : 'keep'
}

/**
 * The headers for the application: those of the client that may pass, in their order, then
 * stepgate's. Lists are flat (name, value, …), values latin1 strings of the bytes. Neither
 * `Transfer-Encoding` nor `Connection` is in the result: the forwarder frames the body. `Trailer`
 * names only what may pass, and `TE` says no more than that the client takes trailers.
 */
export function rebuildHeaders(
  rawHeaders: readonly string[],
  settings: HeaderSettings,
  identity: readonly string[],
  client: ClientFacts,
): string[] {
  let headers: string[] = []
  let named: Set<string> | undefined
  let hasHost = false
  let chunked = client.chunked === true
  let trailers: string[] | undefined
  let takesTrailers = false
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    const value = rawHeaders[i + 1] as string
    switch (settings.judge(name)) {
      case 'keep':
        headers.push(name, value)
        break
      case 'drop':
        break
      case 'cookie': {
        const rest = withoutOwnCookies(value, settings.ownCookies)
        if (rest !== '') headers.push(name, rest)
        break
      }
      case 'host':
        if (!hasHost) headers.push(name, value)
        hasHost = true
        break
      case 'connection':
        if (PLAIN_CONNECTION.has(value)) break
        named ??= new Set()
        addConnectionOptions(named, value)
        for (const lasting of LASTING) named.delete(lasting)
        break
      case 'chunked':
        chunked = true
        break
      case 'trailer':
        trailers = [...(trailers ?? []), ...announcedTrailers(value, settings.mayTrail)]
        break
      case 'te':
        takesTrailers ||= /(?:^|,)\s*trailers\s*(?:,|$)/i.test(value)
        break
    }
  }
  // Chunked wins over a length (RFC 9112 §6.3); two framings must never travel together.
  if (chunked) named = new Set(named).add('content-length')
  if (named !== undefined) headers = withoutHeaders(headers, named)
  if (takesTrailers) headers.push('TE', 'trailers')
  if (chunked && trailers !== undefined && trailers.length > 0) {
    headers.push('Trailer', trailers.join(', '))
  }
  addForwarded(headers, client, settings.addressNames)
  for (let i = 0; i < identity.length; i++) headers.push(identity[i] as string)
  return headers
}

function addForwarded(
  headers: string[],
  { chain, host, proto, requestId }: ClientFacts,
  addressNames: readonly string[],
): void {
  const [address] = chain
  // Empty for a peer on a unix socket that names nobody.
  if (address !== undefined) {
    headers.push('X-Forwarded-For', chain.join(', '))
    for (const name of addressNames) headers.push(name, address)
  }
  headers.push('X-Forwarded-Host', host, 'X-Forwarded-Proto', proto)
  headers.push('Forwarded', writeForwarded(chain, host, proto), 'X-Request-Id', requestId)
}
