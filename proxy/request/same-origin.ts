import type { IncomingHttpHeaders } from 'node:http'

/**
 * Whether a form may have come from a page of ours. Browsers say so themselves: `Sec-Fetch-Site`
 * (a sibling host is `same-site`, and refused) and `Origin`. Who sends neither is no browser that
 * another site could use.
 */
export function isSameOrigin(headers: IncomingHttpHeaders, publicUrl: URL): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false
  const origin = headers.origin
  if (origin === undefined) return true
  // Referrer-Policy can reduce a same-origin form's Origin to "null"; Sec-Fetch-Site then vouches.
  return origin === 'null' ? site === 'same-origin' : origin === publicUrl.origin
}
