import { remember } from '../remember.ts'

/**
 * A `Forwarded` header (RFC 7239 §4): who asked, for which host and how, then the proxies that he
 * came through. IPv6 is in brackets and quotes (§6). `chain` is empty if nobody is known.
 */
export function writeForwarded(chain: readonly string[], host: string, proto: string): string {
  const [client, ...proxies] = chain
  const first = `for=${client === undefined ? 'unknown' : node(client)}`
  const others = proxies.map((proxy) => `, for=${node(proxy)}`).join('')
  return `${first};host=${quoted(host)};proto=${proto}${others}`
}

function node(address: string): string {
  return address.includes(':') ? `"[${address}]"` : address
}

/** A token as it is, anything else as a quoted string (RFC 9110 §5.6). */
const quoted = remember((text) =>
  /^[\w!#$%&'*+.^`|~-]+$/.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`,
)
