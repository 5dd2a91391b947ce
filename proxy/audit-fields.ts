import type { Exchange } from './exchange.ts'
import type { Session } from './session/session.ts'

/** What every audit line about a request has: which one, whose session, from where. */
export function auditFields({
  exchange: { requestId, client },
  session,
}: {
  readonly exchange: Exchange
  readonly session?: Session | undefined
}) {
  return { request_id: requestId, subject: session?.subject, client: client.address }
}
