import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

// RFC 6455 §1.3
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** What answers this `Sec-WebSocket-Key` (RFC 6455 §4.2.2). */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}${GUID}`).digest('base64')
}

/**
 * Whether a 101 has understood the handshake with this key. Any other would leave a client with a
 * bare connection to something that still reads HTTP there, past the gate.
 */
export function isAccepted(headers: IncomingHttpHeaders, key: string): boolean {
  return (
    headers['sec-websocket-accept'] === acceptOf(key) &&
    String(headers.upgrade).toLowerCase() === 'websocket'
  )
}
