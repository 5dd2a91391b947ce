import { remember } from '../remember.ts'
import {
  addConnectionOptions,
  foldName,
  PLAIN_CONNECTION,
  withoutHeaders,
} from './header-verdicts.ts'
import { compileOwnCookies, setsOwnCookie } from './own-cookies.ts'
import { announcedTrailers } from './trailers.ts'

/**
 * The headers of a response for the client; `setCookies` are stepgate's own and come last. Trailers
 * stay announced if the client's connection `mayTrail` and the application's does.
 */
export type AnswerHeaders = (
  rawHeaders: readonly Buffer[],
  status: number,
  setCookies: readonly string[],
  mayTrail?: boolean,
) => string[]

type Verdict = 'keep' | 'drop' | 'trailer' | 'connection' | 'length' | 'chunked' | 'set-cookie'

const VERDICTS: ReadonlyMap<string, Verdict> = new Map([
  ['connection', 'connection'],
  ['content-length', 'length'],
  ['transfer-encoding', 'chunked'],
  ['set-cookie', 'set-cookie'],
  ['keep-alive', 'drop'],
  ['proxy-connection', 'drop'],
  ['proxy-authenticate', 'drop'],
  ['te', 'drop'],
  ['trailer', 'trailer'],
  ['upgrade', 'drop'],
])

/**
 * Compiles what an application may tell the client. Hop-by-hop headers go and those named in
 * `Connection`, everything under `X-Stepgate-`, and cookies under stepgate's names. All else stays
 * as it came, name by name and byte for byte (flat list of latin1 strings).
 */
export function compileAnswerHeaders(ownCookieNames: readonly string[]): AnswerHeaders {
  const own = compileOwnCookies(ownCookieNames)
  const judge = remember(judgeName)
  return (rawHeaders, status, setCookies, mayTrail = false) => {
    let headers: string[] = []
    let trailers: string[] | undefined
    let chunked = false
    let unwanted: Set<string> | undefined
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = (rawHeaders[i] as Buffer).toString('latin1')
      const verdict = judge(name)
      if (verdict === 'drop') continue
      const value = (rawHeaders[i + 1] as Buffer).toString('latin1')
      if (verdict === 'keep' || verdict === 'length') {
        headers.push(name, value)
      } else if (verdict === 'set-cookie') {
        if (!setsOwnCookie(value, own)) headers.push(name, value)
      } else if (verdict === 'trailer') {
        trailers = [...(trailers ?? []), ...announcedTrailers(value, mayTrailResponse)]
      } else if (verdict === 'chunked') {
        chunked = true
        unwanted = new Set(unwanted).add('content-length')
      } else if (!PLAIN_CONNECTION.has(value)) {
        unwanted = new Set(unwanted)
        addConnectionOptions(unwanted, value)
      }
    }
    // A length on a response without content (RFC 9110 §8.6) invites a reader to wait for it.
    if (status === 204) unwanted = new Set(unwanted).add('content-length')
    if (unwanted !== undefined) headers = withoutHeaders(headers, unwanted)
    if (trailers !== undefined && trailers.length > 0 && chunked && mayTrail) {
      headers.push('Trailer', trailers.join(', '))
    }
    for (const cookie of setCookies) headers.push('Set-Cookie', cookie)
    return headers
  }
}

/** Whether what may not be said in a header of this name is not said in a trailer either. */
export function mayTrailResponse(name: string): boolean {
  return judgeName(name) === 'keep'
}

function judgeName(name: string): Verdict {
  const folded = foldName(name)
  if (folded === 'x-stepgate' || folded.startsWith('x-stepgate-')) return 'drop'
  return VERDICTS.get(name.toLowerCase()) ?? 'keep'
}
