import ipaddr from 'ipaddr.js'
import { ok, type Parsed, wrong } from './parsed.ts'

/** Stands for whoever connects to a unix socket. */
const UNIX = 'unix'

/**
 * CIDRs, single addresses or `unix`, separated by commas or spaces. Networks come back as CIDRs of
 * the network address: `10.1.2.3/8` as `10.0.0.0/8`, `::ffff:10.0.0.1` as `10.0.0.1/32`.
 */
export function parseNetworks(text: string): Parsed<readonly string[]> {
  const words = text.split(/[\s,]+/).filter((word) => word !== '')
  const networks = words.map((word) => (word === UNIX ? UNIX : toCidr(word)))
  const problems = words.flatMap((word, index) =>
    networks[index] === undefined
      ? [`${JSON.stringify(word)} is no IP address or CIDR, nor "unix"`]
      : [],
  )
  return problems.length > 0
    ? wrong(...problems)
    : ok([...new Set(networks.filter((network) => network !== undefined))])
}

function toCidr(word: string): string | undefined {
  const [address = '', prefix, ...more] = word.split('/')
  // ipaddr.js also reads `10`, `0x7f.1` and octal numbers; nobody means those.
  const v4 = ipaddr.IPv4.isValidFourPartDecimal(address)
  if (more.length > 0 || !(v4 || (address.includes(':') && ipaddr.IPv6.isValid(address)))) return
  const bits = prefix === undefined ? (v4 ? 32 : 128) : Number(prefix)
  if (prefix !== undefined && !/^\d{1,3}$/.test(prefix)) return
  if (bits > (v4 ? 32 : 128)) return
  if (v4) return `${ipaddr.IPv4.networkAddressFromCIDR(`${address}/${bits}`)}/${bits}`
  const network = ipaddr.IPv6.networkAddressFromCIDR(`${address}/${bits}`)
  return network.isIPv4MappedAddress() && bits >= 96
    ? `${network.toIPv4Address()}/${bits - 96}`
    : `${network}/${bits}`
}
