import type { ServerResponse } from 'node:http'

/** Passes on the links of a 103 (RFC 8297); what can't be written in a header is left out. */
export function sendEarlyHints(
  outgoing: ServerResponse,
  link: string | string[] | undefined,
): void {
  // An HTTP/1.0 client takes any 1xx for the response (RFC 9110 §15.2).
  if (link === undefined || outgoing.req.httpVersion === '1.0') return
  try {
    // `writeEarlyHints` checks links by an expression that takes exponential time.
    outgoing.writeInformation(103, { Link: link })
  } catch {
    // They are only hints.
  }
}
