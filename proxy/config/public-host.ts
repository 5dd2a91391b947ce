import ipaddr from 'ipaddr.js'
import { isLoopbackHost } from './loopback.ts'

// RFC 6761, 6762 and 8375; .internal, .corp and .home are kept out of the root of the DNS by ICANN.
const NOBODYS = /\.(local|internal|corp|home|home\.arpa|test|invalid)$/

/**
 * Whether a URL's hostname may lead somewhere from the internet: no name of one label or of a private
 * network, no address of one, and none with `_`, which names of hosts don't have (RFC 1123 §2.1).
 * Names are not looked up.
 */
export function isPublicHost(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/\.$/, '')
  if (isLoopbackHost(host)) return false
  const address = host.replace(/^\[(.*)\]$/, '$1')
  if (ipaddr.isValid(address)) return ipaddr.parse(address).range() === 'unicast'
  return host.includes('.') && !host.includes('_') && !NOBODYS.test(host)
}
