import { METHODS } from 'node:http'
import { valuesOf } from './raw-headers.ts'

/** Why a message is refused before its target is looked at. */
export type MessageProblem =
  | 'malformed-method'
  | 'refused-method'
  | 'http-version'
  | 'malformed-header'
  | 'transfer-encoding'
  | 'content-length'
  | 'connection-header'

/** Whether a message can be passed on as one message. */
export type MessageCheck =
  | { readonly kind: 'ok' }
  | { readonly kind: 'rejected'; readonly status: 400 | 405; readonly reason: MessageProblem }

const OK: MessageCheck = { kind: 'ok' }
/** What can't be told from framing or routing once the message is HTTP/1.1 (RFC 9113 §8.2.2). */
const OF_CONNECTION: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])
/** What node's parser for HTTP/1.1 takes; that for HTTP/2 takes any, `get` too. */
const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS)
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/
/** What is there is passed over in half the time in which what is not there is looked for. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/**
 * Refuses what has more than one reading: framing that another parser could take otherwise (RFC 9112
 * §6, §11.2; for HTTP/2 RFC 9113 §8.2, §10.3), and methods that reach past the application or echo
 * headers. Some of it node's own parsers refuse too; this doesn't rely on it. `protocol` is `h2`, or
 * the version that a message over HTTP/1 says that it has, which may well be 2.0.
 */
export function checkMessage(
  method: string,
  protocol: string,
  rawHeaders: readonly string[],
): MessageCheck {
  const isHttp2 = protocol === 'h2'
  if (protocol !== '1.1' && protocol !== '1.0' && !isHttp2) {
    return rejected(400, 'http-version')
  }
  if (!TOKEN.test(method)) return rejected(400, 'malformed-method')
  if (/^(?:connect|trace)$/i.test(method)) return rejected(405, 'refused-method')
  if (isHttp2 && !KNOWN_METHODS.has(method)) return rejected(400, 'malformed-method')
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    if (!TOKEN.test(name) || !FIELD_VALUE.test(rawHeaders[i + 1] ?? '')) {
      return rejected(400, 'malformed-header')
    }
    if (!isHttp2) continue
    if (OF_CONNECTION.has(name)) return rejected(400, 'connection-header')
    if (name !== name.toLowerCase()) return rejected(400, 'malformed-header')
  }
  const encodings = valuesOf(rawHeaders, 'transfer-encoding')
  const lengths = valuesOf(rawHeaders, 'content-length')
  if (encodings.length > 0) {
    const chunked = encodings.length === 1 && encodings[0]?.toLowerCase() === 'chunked'
    if (!chunked || protocol === '1.0') return rejected(400, 'transfer-encoding')
    if (lengths.length > 0) return rejected(400, 'content-length')
  }
  const single =
    lengths.length === 0 || (lengths.length === 1 && /^\d{1,15}$/.test(lengths[0] ?? ''))
  return single ? OK : rejected(400, 'content-length')
}

function rejected(status: 400 | 405, reason: MessageProblem): MessageCheck {
  return { kind: 'rejected', status, reason }
}
