import type { Context } from './context.ts'
import type { Exchange } from './exchange.ts'

// Workers share one pipe, which takes a line in one piece up to 4096 bytes (POSIX, PIPE_BUF).
const LONGEST_PATH = 1500

/** Writes one line when the answer is through or broken off. The query is left out: it is private. */
export function logAccess(
  context: Context,
  {
    incoming,
    outgoing,
    requestId,
    client,
  }: Pick<Exchange, 'incoming' | 'outgoing' | 'requestId' | 'client'>,
): void {
  if (!context.config.log.access) return
  const began = context.clock()
  outgoing.once('close', () => {
    const { method, url } = incoming
    context.log.access({
      event: 'request',
      request_id: requestId,
      client: client.address,
      method,
      path: url?.split('?', 1)[0]?.slice(0, LONGEST_PATH),
      status: outgoing.headersSent ? outgoing.statusCode : undefined,
      complete: outgoing.writableFinished,
      duration_ms: context.clock() - began,
    })
  })
}
