import type { ServerResponse } from 'node:http'
import type { Context } from './context.ts'
import type { Exchange } from './exchange.ts'
import type { Asker } from './page-answer.ts'

/** Writes one line when the answer is through or broken off. The query is left out: it is private. */
export function logAccess(
  context: Context,
  asker: Asker | Exchange,
  outgoing: ServerResponse,
): void {
  if (!context.config.log.access) return
  const began = context.clock()
  outgoing.once('close', () => {
    const { method, url } = asker.incoming
    context.log.access({
      event: 'request',
      request_id: asker.requestId,
      client: 'client' in asker ? asker.client.address : asker.incoming.socket.remoteAddress,
      method,
      path: url?.split('?', 1)[0],
      status: outgoing.headersSent ? outgoing.statusCode : undefined,
      complete: outgoing.writableFinished,
      duration_ms: context.clock() - began,
    })
  })
}
