import type { IncomingMessage } from 'node:http'

/**
 * Whether node:http may pass over content in chunks: beside an `Upgrade` it takes a `chunked` with a tab
 * behind it for no framing at all, and the request for complete, while its headers say `chunked`.
 * Whether it has is known once the bytes that have come are parsed.
 */
export function mayLoseContent({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers.upgrade !== undefined && headers['transfer-encoding'] !== undefined
}

/** Whether that may have happened, or there was no content that could be missed. */
export function hasLostContent(incoming: IncomingMessage): boolean {
  return mayLoseContent(incoming) && incoming.complete && incoming.readableLength === 0
}
