import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Client } from './request/client-address.ts'
import type { Target } from './request/target.ts'

/** One request on its way: what the front door has read of it, and where the answer goes. */
export type Exchange = {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  /** Also sent upstream as `X-Request-Id` and shown on error pages. */
  readonly requestId: string
  readonly client: Client
  /** Host header: lower case, without port. */
  readonly host: string
  readonly target: Target
}

/** Every Cookie header of the request, in order. */
export function cookieHeadersOf(incoming: IncomingMessage): readonly string[] {
  return incoming.headersDistinct.cookie ?? []
}
