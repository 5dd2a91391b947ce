import type { IncomingHttpHeaders } from 'node:http'
import { kindOf } from '../request/kind-of-request.ts'

/**
 * Whether a browser must not keep the response to a session's request: a page that the application
 * gives no lifetime, or the back button would show it when the session is over (ASVS 5 14.3.2). What
 * a page is made of may be kept, as it shows nothing alone.
 */
export function mustBeForgotten(
  request: { readonly method?: string | undefined; readonly headers: IncomingHttpHeaders },
  { 'cache-control': cacheControl = '', expires }: IncomingHttpHeaders,
  now: number,
): boolean {
  if (kindOf(request.method ?? '', request.headers) !== 'navigation') return false
  if (/\bno-store\b/i.test(cacheControl)) return false
  if (/\b(?:max-age|s-maxage)\s*=/i.test(cacheControl)) return !LASTS.test(cacheControl)
  return !(Date.parse(expires ?? '') > now)
}

const LASTS = /\b(?:max-age|s-maxage)\s*=\s*"?0*[1-9]/i
