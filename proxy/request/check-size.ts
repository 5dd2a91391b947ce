import type { ClientLimits } from '../config/config.ts'
import { valuesOf } from './raw-headers.ts'

/** What a request has too much of, with the status that says so. */
export type SizeProblem =
  | { readonly status: 431; readonly reason: 'header-count' | 'header-size' }
  | { readonly status: 414; readonly reason: 'url-length' }
  | { readonly status: 413; readonly reason: 'body-size' }

/**
 * What a request has too much of, as far as its head tells: content without a length is counted while
 * it comes. Lengths are of latin1 strings, which is bytes.
 */
export function sizeProblem(
  target: string,
  rawHeaders: readonly string[],
  limits: ClientLimits,
): SizeProblem | undefined {
  if (rawHeaders.length > 2 * limits.headers) return { status: 431, reason: 'header-count' }
  let size = 0
  for (const text of rawHeaders) size += text.length
  if (size > limits.headerSize) return { status: 431, reason: 'header-size' }
  if (target.length > limits.url) return { status: 414, reason: 'url-length' }
  if (limits.body === Number.POSITIVE_INFINITY) return undefined
  const [length] = valuesOf(rawHeaders, 'content-length')
  if (length !== undefined && /^\d+$/.test(length) && Number(length) > limits.body) {
    return { status: 413, reason: 'body-size' }
  }
  return undefined
}
