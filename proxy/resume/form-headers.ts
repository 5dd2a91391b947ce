import type { IncomingHttpHeaders } from 'node:http'
import { pickHeaders } from '../request/raw-headers.ts'
import { isSameOrigin } from '../request/same-origin.ts'

/**
 * Whether a form is known to come from a page of ours: the browser has to say so itself, since what is
 * kept is sent on with somebody's identity. One that says nothing is none that people use.
 */
export function isFromUs(headers: IncomingHttpHeaders, publicUrl: URL): boolean {
  const says = headers.origin !== undefined || headers['sec-fetch-site'] === 'same-origin'
  return says && isSameOrigin(headers, publicUrl)
}

/** Whether a request says anything of the page that it comes from, as those of browsers do. */
export function saysOrigin(headers: IncomingHttpHeaders): boolean {
  return headers.origin !== undefined || headers['sec-fetch-site'] !== undefined
}

/** A target that a form on a page of ours can be sent to again, byte for byte. */
export function canBeSentTo(target: string): boolean {
  return /^[\x21-\x7e]+$/.test(target)
}

/** The page that a form was on, if it is one of ours. */
export function formPage({ referer }: IncomingHttpHeaders, publicUrl: URL): string | undefined {
  const url = referer === undefined ? null : URL.parse(referer)
  return url?.origin === publicUrl.origin ? `${url.pathname}${url.search}` : undefined
}

/** Headers that describe content, but for how it is framed. */
const OF_CONTENT = /^content-(?!length$)/i
const OF_ORIGIN = /^(?:origin|referer)$/i
const OF_FRAMING = /^(?:content-length|transfer-encoding|trailer|expect)$/i

/** What is kept of a request's headers: the rest is as its browser says when it is sent on. */
export function headersToKeep(rawHeaders: readonly string[]): string[] {
  return pickHeaders(rawHeaders, (name) => OF_CONTENT.test(name) || OF_ORIGIN.test(name))
}

/** The headers of the request that a kept one is sent on by, as if it were that one. */
export function headersToSend(
  rawHeaders: readonly string[],
  kept: readonly string[],
  length: number,
): string[] {
  const others = pickHeaders(
    rawHeaders,
    (name) => !OF_CONTENT.test(name) && !OF_ORIGIN.test(name) && !OF_FRAMING.test(name),
  )
  return [...others, ...kept, 'Content-Length', `${length}`]
}
