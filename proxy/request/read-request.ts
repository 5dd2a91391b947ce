import type { IncomingMessage, ServerResponse } from 'node:http'
import { emptyNotes } from '../access-notes.ts'
import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import { streamOf } from '../listener/http2-messages.ts'
import { isNameless } from '../listener/peer.ts'
import { checkMessage } from './check-message.ts'
import { type SizeProblem, sizeProblem } from './check-size.ts'
import { type Client, clientOf, type TrustedNetworks } from './client-address.ts'
import { parseAuthority, parseHost } from './host.ts'
import { hasLostContent } from './lost-content.ts'
import { parseTarget } from './target.ts'
import { asksForWebSocket, handshakeProblem } from './web-socket-handshake.ts'

/** A request that has exactly one reading, or why it is refused. */
export type ReadRequest =
  | { readonly kind: 'read'; readonly exchange: Exchange }
  | {
      readonly kind: 'refused'
      readonly status: 400 | 405 | SizeProblem['status']
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
  const protocol = streamOf(incoming) === undefined ? httpVersion : 'h2'
  const believed = isNameless(socket) ? nobody : trusted
  const proto = 'encrypted' in socket ? 'https' : 'http'
  const clientAt = (host: string) =>
    clientOf(socket.remoteAddress, rawHeaders, believed, config.proxyHeaders, { host, proto })
  const refused = (reason: string, status: 400 | 405 | SizeProblem['status'] = 400) =>
    ({ kind: 'refused', status, reason, client: clientAt('') }) as const

  const tooMuch = sizeProblem(url, rawHeaders, config.limits)
  if (tooMuch !== undefined) return refused(tooMuch.reason, tooMuch.status)
  const message = checkMessage(method, protocol, rawHeaders)
  if (message.kind === 'rejected') return refused(message.reason, message.status)
  if (hasLostContent(incoming)) return refused('transfer-encoding')
  const handshake = asksForWebSocket(incoming) ? handshakeProblem(incoming) : undefined
  if (handshake !== undefined) return refused(handshake)
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

const nobody: TrustedNetworks = () => false

/** Many a trusted proxy passes on a client's `X-Forwarded-Host`, and an application may read either. */
function hostsOf(host: string, client: Client): Exchange['hosts'] {
  const forwarded = parseAuthority(client.host)
  return forwarded === undefined || forwarded === host ? [host] : [host, forwarded]
}
