import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AccessNotes } from './access-notes.ts'
import type { RuleRequest } from './policy/rule.ts'
import type { Client } from './request/client-address.ts'
import type { Target } from './request/target.ts'

/** One request on its way: what the front door has read of it, and where the answer goes. */
export type Exchange = {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  /** Also sent upstream as `X-Request-Id` and shown on error pages. */
  readonly requestId: string
  readonly client: Client
  /** The Host header and, from a trusted proxy, the host that it forwards: lower case, no port. */
  readonly hosts: readonly [string, ...string[]]
  readonly target: Target
  readonly notes: AccessNotes
  /** Present when this is the opening handshake of a WebSocket: what came right behind it. */
  readonly head?: Buffer
  /** Present when it was let in by an access token, until then (epoch ms), and not by a session. */
  readonly tokenUntil?: number
}

/** What the rules look at of it. */
export function askedOf({ incoming, hosts, target }: Exchange): RuleRequest {
  return { method: incoming.method ?? '', hosts, paths: target.paths }
}
