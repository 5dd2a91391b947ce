import { acceptOf } from '../../proxy/upstream/web-socket-accept.ts'
import { answering, type RawConnection } from '../upstream/sockets.ts'
import { rawRequest } from './raw-exchange.ts'

/** The example of RFC 6455 §1.3. */
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
export const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='

/** The origin that `openDoor`'s configuration has as its public URL. */
export const ORIGIN = 'Origin: https://app.example.com'

const HANDSHAKE: Readonly<Record<string, string>> = {
  Host: 'app.example.com',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Key': KEY,
  'Sec-WebSocket-Version': '13',
}

/** An opening handshake as bytes; `changes` replaces headers, and undefined takes one away. */
export function handshake(
  path: string,
  headers: readonly string[],
  changes: Readonly<Record<string, string | undefined>> = {},
  line = `GET ${path} HTTP/1.1`,
): string {
  const all = Object.entries({ ...HANDSHAKE, ...changes })
  const lines = all.flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
  return rawRequest(line, [...lines, ...headers])
}

/** A 101 that accepts `KEY`, with whatever follows. */
export function switching(headers: readonly string[] = [], rest = ''): string {
  const all = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${ACCEPT}`]
  return `${['HTTP/1.1 101 Switching Protocols', ...all, ...headers].join('\r\n')}\r\n\r\n${rest}`
}

/** An application of sockets that accepts each handshake and then is silent. */
export function accepting(rest = ''): (connection: RawConnection) => void {
  return answering(switching([], rest))
}

/** One frame as a latin1 string; a client's is masked with zeros, so that its text stays legible. */
export function frame(
  payload: string,
  {
    opcode = 1,
    fin = true,
    masked = false,
  }: { opcode?: number; fin?: boolean; masked?: boolean } = {},
): string {
  const { length } = payload
  const head = [
    (fin ? 0x80 : 0) | opcode,
    (masked ? 0x80 : 0) | (length < 126 ? length : length < 65_536 ? 126 : 127),
  ]
  if (length >= 65_536) head.push(0, 0, 0, 0, (length >>> 24) & 255, (length >>> 16) & 255)
  if (length >= 126) head.push((length >>> 8) & 255, length & 255)
  if (masked) head.push(0, 0, 0, 0)
  return String.fromCharCode(...head) + payload
}

/** A server's close frame as a latin1 string. */
export function closing(code: number, reason: string): string {
  return frame(String.fromCharCode(code >> 8, code & 255) + reason, { opcode: 8 })
}

/** What came after the head of a 101. */
export function framesOf(text: string): string {
  return text.slice(text.indexOf('\r\n\r\n') + 4)
}

/** The 101 that accepts whichever key a handshake holds. */
export function switchingFor(received: string): string {
  const key = /^sec-websocket-key: (.*)\r$/im.exec(received)?.[1] ?? ''
  return switching().replace(ACCEPT, acceptOf(key))
}
