import type { IncomingMessage } from 'node:http'
import { valuesOf } from './raw-headers.ts'

/** Why a request that asks for a WebSocket is no opening handshake. */
export type HandshakeProblem =
  | 'websocket-method'
  | 'websocket-http-version'
  | 'websocket-upgrade'
  | 'websocket-key'
  | 'websocket-version'
  | 'websocket-body'

type Message = Pick<IncomingMessage, 'method' | 'httpVersion' | 'headers' | 'rawHeaders'>

/** Whether a request names `websocket` in `Upgrade`, in whatever company. */
export function asksForWebSocket({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const { upgrade } = headers
  return upgrade !== undefined && /(?:^|,)\s*websocket\s*(?:,|$)/i.test(upgrade)
}

/** Whether a request is an opening handshake, to the letter: only such a one is taken up. */
export function isHandshake(message: Message): boolean {
  return asksForWebSocket(message) && handshakeProblem(message) === undefined
}

/**
 * What makes the request no opening handshake (RFC 6455 §4.2.1), for one that asks for a WebSocket.
 * Each header must be there once: of two, another server might read the other.
 */
export function handshakeProblem(message: Message): HandshakeProblem | undefined {
  const { method, httpVersion, headers, rawHeaders } = message
  const single = (name: string) => {
    const values = valuesOf(rawHeaders, name)
    return values.length === 1 ? values[0] : undefined
  }
  if (method !== 'GET') return 'websocket-method'
  if (httpVersion !== '1.1') return 'websocket-http-version'
  if (single('upgrade')?.toLowerCase() !== 'websocket') return 'websocket-upgrade'
  if (!/(?:^|,)\s*upgrade\s*(?:,|$)/i.test(headers.connection ?? '')) return 'websocket-upgrade'
  if (!/^[+/0-9A-Za-z]{22}==$/.test(single('sec-websocket-key') ?? '')) return 'websocket-key'
  if (single('sec-websocket-version') !== '13') return 'websocket-version'
  const framed = ['content-length', 'transfer-encoding'].some((name) => headers[name] !== undefined)
  return framed ? 'websocket-body' : undefined
}
