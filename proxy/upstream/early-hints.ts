import type { ServerResponse } from 'node:http'

/** The members of a list; `<…>` and quotes may hold commas. node:http takes one at a time only. */
const LINKS = /(?:<[^>]*>|"(?:[^"\\]|\\.)*"|[^,\s])(?:<[^>]*>|"(?:[^"\\]|\\.)*"|[^,])*/g

/** Passes on the links of a 103 (RFC 8297); hints that are not well formed are left out. */
export function sendEarlyHints(
  outgoing: ServerResponse,
  link: string | string[] | undefined,
): void {
  // An HTTP/1.0 client takes any 1xx for the response (RFC 9110 §15.2).
  if (link === undefined || outgoing.req.httpVersion === '1.0') return
  try {
    outgoing.writeEarlyHints({ link: [link].flat().flatMap((links) => links.match(LINKS) ?? []) })
  } catch {
    // They are only hints.
  }
}
