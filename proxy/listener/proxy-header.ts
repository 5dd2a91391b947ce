import { isIPv4, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

/** What the beginning of a connection holds of a PROXY protocol header. */
export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'invalid' }
  | {
      readonly kind: 'header'
      /** In bytes; what follows is the connection's own. */
      readonly length: number
      /** Who connected to the balancer; absent when it speaks for itself, or does not know. */
      readonly source?: { readonly address: string; readonly port: number }
    }

/** No header is longer, in bytes: room for what balancers add of TLS and of clouds. */
export const LONGEST_HEADER = 4096

const INCOMPLETE: ProxyHeader = { kind: 'incomplete' }
const INVALID: ProxyHeader = { kind: 'invalid' }

const V1 = Buffer.from('PROXY ')
/** Of a v1 header, with its line break. */
const V1_LONGEST = 107

const V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const V2_FIXED = 16

/**
 * Reads a header of version 1 or 2 (HAProxy's "The PROXY protocol", §2) as strictly as it is defined,
 * from all bytes that have come so far. TLVs of version 2 are skipped. An address comes as it was
 * sent; datagrams and unix sockets, which stepgate serves to nobody, name nobody.
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsAlike(bytes, V1)) return parseV1(bytes)
  return startsAlike(bytes, V2) ? parseV2(bytes) : INVALID
}

/** Whether what is there of both is the same. */
function startsAlike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length)
  return bytes.subarray(0, length).equals(signature.subarray(0, length))
}

function parseV1(bytes: Buffer): ProxyHeader {
  const line = bytes.subarray(0, V1_LONGEST).toString('latin1')
  const end = line.indexOf('\r\n')
  if (end < 0) return bytes.length < V1_LONGEST && !line.includes('\n') ? INCOMPLETE : INVALID
  const length = end + 2
  const text = line.slice(0, end)
  if (/^PROXY UNKNOWN(?: [^\r\n]*)?$/.test(text)) return { kind: 'header', length }
  const match = /^PROXY TCP([46]) (\S+) (\S+) (\d{1,5}) (\d{1,5})$/.exec(text)
  if (match === null) return INVALID
  const [, version, address = '', destination = '', sourcePort = '', destinationPort = ''] = match
  const isAddress = version === '4' ? isIPv4 : isPlainIPv6
  const valid =
    [address, destination].every(isAddress) && [sourcePort, destinationPort].every(isPort)
  return valid ? { kind: 'header', length, source: { address, port: Number(sourcePort) } } : INVALID
}

function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%')
}

function isPort(text: string): boolean {
  return Number(text) <= 65_535 && (text === '0' || !text.startsWith('0'))
}

function parseV2(bytes: Buffer): ProxyHeader {
  if (bytes.length < V2_FIXED) return INCOMPLETE
  const command = bytes.readUInt8(12)
  const family = bytes.readUInt8(13)
  const length = V2_FIXED + bytes.readUInt16BE(14)
  const addressLength = ADDRESS_LENGTHS.get(family)
  const isCommand = command === 0x20 || command === 0x21
  if (!isCommand || addressLength === undefined || length > LONGEST_HEADER) return INVALID
  const isLocal = command === 0x20
  // One that speaks for itself may leave out the addresses, whatever the family says.
  if (!isLocal && length < V2_FIXED + addressLength) return INVALID
  if (bytes.length < length) return INCOMPLETE
  if (isLocal || (family !== TCP4 && family !== TCP6)) return { kind: 'header', length }
  const size = family === TCP4 ? 4 : 16
  const address = bytes.subarray(V2_FIXED, V2_FIXED + size)
  const source = {
    address: ipaddr.fromByteArray([...address]).toString(),
    port: bytes.readUInt16BE(V2_FIXED + 2 * size),
  }
  return { kind: 'header', length, source }
}

const TCP4 = 0x11
const TCP6 = 0x21

/** Bytes of the addresses of each family and transport; there are no others (§2.2). */
const ADDRESS_LENGTHS: ReadonlyMap<number, number> = new Map([
  [0x00, 0],
  [TCP4, 12],
  [0x12, 12],
  [TCP6, 36],
  [0x22, 36],
  [0x31, 216],
  [0x32, 216],
])
