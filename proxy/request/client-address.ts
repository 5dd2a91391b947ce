import { isIP, type Socket } from 'node:net'
import ipaddr from 'ipaddr.js'
import { type ForwardingKind, readHops } from './forwarding-headers.ts'
import { parseAuthority } from './host.ts'

/** Whether an address, normalized or `unix`, belongs to a proxy whose forwarding headers count. */
export type TrustedNetworks = (address: string) => boolean

/** What stands for the address of a peer on a unix socket. */
export const UNIX = 'unix'

/** The address of a peer, normalized; `unix` if it has none, as `dropGone` leaves nobody else without. */
export function addressOf({ remoteAddress = '' }: Pick<Socket, 'remoteAddress'>): string {
  return normalizeAddress(remoteAddress) ?? UNIX
}

/**
 * Compiles addresses and CIDRs, as the configuration has checked them; `unix` trusts peers on a unix
 * socket. Throws an Error on anything else.
 */
export function parseNetworks(networks: readonly string[]): TrustedNetworks {
  const unix = networks.includes(UNIX)
  const ranges = networks.filter((network) => network !== UNIX).map(parseRange)
  return (address) => {
    if (address === UNIX) return unix
    if (ranges.length === 0) return false
    const parsed = ipaddr.parse(address)
    return ranges.some((range) => range[0].kind() === parsed.kind() && parsed.match(range))
  }
}

function parseRange(network: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  if (network.includes('/')) return ipaddr.parseCIDR(network)
  const address = ipaddr.process(network)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}

/** Who sent a request, as far as that can be believed. */
export type Client = {
  /** Of the client, for limits and logs: an IP address, or `unix` for a peer on a unix socket. */
  readonly address: string
  /** For `X-Forwarded-For`: the client, the proxies that are believed, the peer. */
  readonly chain: readonly string[]
  /** How the client reached the first proxy that is believed, or us. */
  readonly proto: 'http' | 'https'
  /** Host, with its port if any, that the client asked for. */
  readonly host: string
  /** Whether the peer is a trusted proxy, so that what it says of the client may count. */
  readonly behindProxy: boolean
}

/** How the peer itself reached us. */
export type Direct = Pick<Client, 'proto' | 'host'>

/**
 * Finds the client behind trusted proxies: from the peer on, each address that a trusted proxy names
 * is believed, and the first one that is not itself trusted is the client. What is no address ends
 * the walk. Headers of another kind than the proxies write may be the client's own: they are not read.
 */
export function clientOf(
  remoteAddress: string | undefined,
  rawHeaders: readonly string[],
  isTrusted: TrustedNetworks,
  kind: ForwardingKind,
  direct: Direct,
): Client {
  const peer = addressOf({ remoteAddress })
  const chain = peer === UNIX ? [] : [peer]
  const behindProxy = isTrusted(peer)
  if (!behindProxy) return { address: peer, chain, ...direct, behindProxy }
  const { hops, protos, hosts } = readHops(rawHeaders, kind)
  const believed = walk(hops, isTrusted)
  return {
    address: believed[0] ?? peer,
    chain: [...believed, ...chain],
    proto: protoOf(entryAt(protos, believed.length)) ?? direct.proto,
    host: hostOf(entryAt(hosts, believed.length)) ?? direct.host,
    behindProxy,
  }
}

function walk(hops: readonly string[], isTrusted: TrustedNetworks): string[] {
  const believed: string[] = []
  for (const hop of hops.toReversed()) {
    const address = normalizeAddress(hop)
    if (address === undefined) break
    believed.unshift(address)
    if (!isTrusted(address)) break
  }
  return believed
}

/** What the outermost believed proxy wrote: one entry a hop from the right, if there are as many. */
function entryAt(entries: readonly string[], hops: number): string | undefined {
  return entries.at(-Math.min(Math.max(hops, 1), entries.length))
}

function protoOf(text: string | undefined): Client['proto'] | undefined {
  const proto = text?.toLowerCase()
  return proto === 'http' || proto === 'https' ? proto : undefined
}

function hostOf(text: string | undefined): string | undefined {
  return text !== undefined && parseAuthority(text) !== undefined ? text : undefined
}

/**
 * An IP address in its short lower-case form, without zone; IPv4 mapped into IPv6 comes back as
 * IPv4. Undefined for anything else.
 */
export function normalizeAddress(text: string): string | undefined {
  const version = isIP(text)
  if (version === 4) return text
  return version === 6 ? ipaddr.process(text.replace(/%.*$/, '')).toString() : undefined
}

/** One customer has a whole /64 of IPv6 at least (RFC 6177), so all its addresses are one. */
export function networkOf(address: string): string {
  if (!ipaddr.IPv6.isValid(address)) return address
  return ipaddr.IPv6.networkAddressFromCIDR(`${address}/64`).toString()
}
