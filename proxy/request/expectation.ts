import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Whether the client waits to be told to go on before it sends its body (RFC 9110 §10.1.1). HTTP/1.0
 * has no such thing.
 */
export function expectsContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return (
    headers.expect !== undefined &&
    httpVersion !== '1.0' &&
    /(?:^|\W)100-continue(?:$|\W)/i.test(headers.expect)
  )
}

const invited = new WeakSet<IncomingMessage>()

/** Whether a client that waits to be told has been told; one that does not wait needs no telling. */
export function isInvited(incoming: IncomingMessage): boolean {
  return !expectsContinue(incoming) || invited.has(incoming)
}

/** For who is about to read a body: tells a client that waits to send it. */
export function inviteBody(incoming: IncomingMessage, outgoing: ServerResponse): void {
  if (!expectsContinue(incoming) || outgoing.headersSent) return
  invited.add(incoming)
  outgoing.writeContinue()
}
