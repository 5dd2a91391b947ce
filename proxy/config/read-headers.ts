import type { HeaderTemplate } from './config.ts'
import { mergeHeaders } from './parse-headers.ts'
import type { Report, Settings } from './settings.ts'

/** The headers that the application is told; `{secret}` and the secret need each other. */
export function readHeaders(
  { given, values }: Settings,
  report: Report,
): readonly HeaderTemplate[] {
  const headers = mergeHeaders(values.HEADERS ?? [])
  const needsSecret = headers.some(({ value }) => value.includes('{secret}'))
  const headersRead = !given.has('HEADERS') || values.HEADERS !== undefined
  if (needsSecret && !given.has('HEADERS_SECRET')) {
    report('HEADERS_SECRET', 'is not set, but STEPGATE_HEADERS holds {secret}')
  }
  if (headersRead && !needsSecret && given.has('HEADERS_SECRET')) {
    report('HEADERS_SECRET', 'is set, but nothing in STEPGATE_HEADERS holds {secret}')
  }
  return headers
}
