import { errorCode } from '../error-code.ts'
import type { ForwardOutcome } from './forward.ts'
import { RESET } from './pool-undici.ts'

/** What an application that gave no response, or no usable one, comes to. */
export type ForwardFailure = Extract<
  ForwardOutcome,
  { kind: 'unreachable' | 'timed-out' | 'invalid-response' }
>

const TIMEOUTS = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT'])
const LOST_CONNECTION = new Set(['UND_ERR_SOCKET', 'ECONNRESET', RESET, 'EPIPE'])

/** Sorts an error that came before any response began; `bytesCame`: part of a response had come. */
export function failureOf(error: Error, bytesCame: boolean): ForwardFailure {
  const code = errorCode(error) ?? ''
  if (TIMEOUTS.has(code)) return { kind: 'timed-out', error }
  const invalid = bytesCame || code.startsWith('HPE_')
  return { kind: invalid ? 'invalid-response' : 'unreachable', error }
}

/**
 * Whether a connection went away without a word, as when the application closes an idle one in the
 * moment in which it is used again.
 */
export function isLostConnection(error: Error): boolean {
  return LOST_CONNECTION.has(errorCode(error) ?? '')
}
