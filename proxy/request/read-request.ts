import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import { checkMessage } from './check-message.ts'
import { clientOf } from './client-address.ts'
import { parseHost } from './host.ts'
import { parseTarget } from './target.ts'

/** A request that has exactly one reading, or why it is refused. */
export type ReadRequest =
  | { readonly kind: 'read'; readonly exchange: Exchange }
  | { readonly kind: 'refused'; readonly status: 400 | 405; readonly reason: string }

/** Reads message, host, target and client, in this order; nothing has been decided before. */
export function readRequest(
  { config, trusted }: Pick<Context, 'config' | 'trusted'>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  requestId: string,
): ReadRequest {
  const { method = '', httpVersion, rawHeaders, url = '', socket } = incoming
  const message = checkMessage(method, httpVersion, rawHeaders)
  if (message.kind === 'rejected') return { ...message, kind: 'refused' }
  const host = parseHost(rawHeaders)
  if (host.kind === 'rejected') return { kind: 'refused', status: 400, reason: host.reason }
  const parsed = parseTarget(url, config)
  if (parsed.kind === 'rejected') return { kind: 'refused', status: 400, reason: parsed.reason }
  const direct = { host: host.authority, proto: 'encrypted' in socket ? 'https' : 'http' } as const
  const client = clientOf(socket.remoteAddress, rawHeaders, trusted, direct)
  const { target } = parsed
  return {
    kind: 'read',
    exchange: { incoming, outgoing, requestId, client, host: host.host, target },
  }
}
