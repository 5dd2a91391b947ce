import type { ServerResponse } from 'node:http'

/** Ends a response that has begun so that no client can take it for complete. */
export function cutOff(outgoing: ServerResponse): void {
  // In HTTP/1.0 the end of the connection is the end of the body, so that must not look orderly.
  if (outgoing.req.httpVersion === '1.0') {
    try {
      outgoing.socket?.resetAndDestroy()
    } catch {
      // Only TCP can be reset; TLS tells a cut from an end by itself.
    }
  }
  outgoing.destroy()
}
