import type { IncomingMessage, ServerResponse } from 'node:http'
import { emptyNotes } from '../access-notes.ts'
import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import { checkMessage } from './check-message.ts'
import { type Client, clientOf } from './client-address.ts'
import { parseAuthority, parseHost } from './host.ts'
import { parseTarget } from './target.ts'

/** A request that has exactly one reading, or why it is refused. */
export type ReadRequest =
  | { readonly kind: 'read'; readonly exchange: Exchange }
  | {
      readonly kind: 'refused'
      readonly status: 400 | 405
      readonly reason: string
      readonly client: Client
    }

/** Reads message, host, target and client, in this order; nothing has been decided before. */
export function readRequest(
  { config, trusted }: Pick<Context, 'config' | 'trusted'>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  requestId: string,
): ReadRequest {
  const { method = '', httpVersion, rawHeaders, url = '', socket } = incoming
  const proto = 'encrypted' in socket ? 'https' : 'http'
  const clientAt = (authority: string) =>
    clientOf(socket.remoteAddress, rawHeaders, trusted, { host: authority, proto })
  const refused = (reason: string, status: 400 | 405 = 400) =>
    ({ kind: 'refused', status, reason, client: clientAt('') }) as const

  const message = checkMessage(method, httpVersion, rawHeaders)
  if (message.kind === 'rejected') return refused(message.reason, message.status)
  const host = parseHost(rawHeaders)
  if (host.kind === 'rejected') return refused(host.reason)
  const parsed = parseTarget(url, config)
  if (parsed.kind === 'rejected') return refused(parsed.reason)
  const client = clientAt(host.authority)
  const hosts = hostsOf(host.host, client)
  const { target } = parsed
  const notes = emptyNotes('own')
  return { kind: 'read', exchange: { incoming, outgoing, requestId, client, hosts, target, notes } }
}

/** Many a trusted proxy passes on a client's `X-Forwarded-Host`, and an application may read either. */
function hostsOf(host: string, client: Client): Exchange['hosts'] {
  const forwarded = parseAuthority(client.host)
  return forwarded === undefined || forwarded === host ? [host] : [host, forwarded]
}
