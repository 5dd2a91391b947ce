import type { Context } from './context.ts'
import type { Exchange } from './exchange.ts'

// Workers share one pipe, which takes a line in one piece up to 4096 bytes (POSIX, PIPE_BUF).
const LONGEST_PATH = 1500

/** Writes one line when the answer is through or broken off. The query is left out: it is private. */
export function logAccess(
  { config, log }: Pick<Context, 'config' | 'log'>,
  exchange: Pick<Exchange, 'incoming' | 'outgoing' | 'requestId' | 'client' | 'notes'>,
): void {
  if (!config.log.access) return
  const { incoming, outgoing, requestId, client, notes } = exchange
  const began = performance.now()
  outgoing.once('close', () => {
    const { method, url } = incoming
    log.access({
      event: 'request',
      request_id: requestId,
      client: client.address,
      subject: notes.subject,
      method,
      path: pathOf(url),
      original_method: notes.original?.method,
      original_path: pathOf(notes.original?.url),
      decision: notes.decision,
      status: outgoing.headersSent ? outgoing.statusCode : undefined,
      complete: outgoing.writableFinished,
      bytes_in: notes.bytesIn,
      bytes_out: notes.upstreamMs === undefined ? ownLength(exchange) : notes.bytesOut,
      duration_ms: rounded(performance.now() - began),
      upstream: notes.upstream,
      upstream_ms: rounded(notes.upstreamMs),
    })
  })
}

function pathOf(url: string | undefined): string | undefined {
  return url?.split('?', 1)[0]?.slice(0, LONGEST_PATH)
}

/** Answers of stepgate's own are whole, and say how long they are. */
function ownLength({ incoming, outgoing }: Pick<Exchange, 'incoming' | 'outgoing'>): number {
  const sent = outgoing.headersSent && incoming.method !== 'HEAD'
  return sent ? Number(outgoing.getHeader('content-length') ?? 0) : 0
}

function rounded(ms: number): number
function rounded(ms: number | undefined): number | undefined
function rounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 10) / 10
}
