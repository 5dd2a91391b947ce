/** Stands in the list for clients that send no `Origin`: programs, never browsers. */
export const NO_ORIGIN = 'none'

/**
 * Whether a page of this origin may open a WebSocket (RFC 6455 §10.2). Browsers send cookies with a
 * handshake from any page and let that page read what comes, so the origin is all that tells a page
 * of ours from another's. What is repeated or `null` is nobody's.
 */
export function mayOpenWebSocket(
  origin: string | undefined,
  publicUrl: URL,
  others: readonly string[],
): boolean {
  if (origin === undefined) return others.includes(NO_ORIGIN)
  return origin === publicUrl.origin || (origin !== NO_ORIGIN && others.includes(origin))
}
