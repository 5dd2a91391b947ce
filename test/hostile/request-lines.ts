import fc from 'fast-check'
import { type Kind, mostly, type Part, parts } from './part.ts'
import { targets } from './targets.ts'

/** A request line with its end; `method` and `target` as they stand between the spaces. */
export type RequestLine = {
  readonly method: string
  readonly target: string
  readonly text: string
}

const methods = mostly(
  parts('plain', 'GET', 'GET', 'POST', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH'),
  14,
  parts('plain', 'PROPFIND', 'REPORT', 'M-SEARCH', 'PURGE', 'QUERY', 'LOCK'),
  parts('refused', 'TRACE', 'CONNECT', 'PRI', 'trace', 'Trace', '', 'G@T', 'GE\tT', 'GET\0'),
  parts('odd', 'get', 'Post', 'FOO', 'BREW', 'GETT', 'X'),
)

type Frame = readonly [before: string, first: string, second: string, end: string]

const VERSION = ' HTTP/1.1'
const frames: fc.Arbitrary<Part<Frame>> = mostly(
  parts<Frame>('plain', ['', ' ', VERSION, '\r\n']),
  16,
  parts<Frame>(
    'odd',
    ['', ' ', ' HTTP/1.0', '\r\n'],
    ['\r\n', ' ', VERSION, '\r\n'],
    ['\r\n\r\n', ' ', VERSION, '\r\n'],
    ['\n', ' ', VERSION, '\r\n'],
    ['', '  ', VERSION, '\r\n'],
    ['', ' ', ` ${VERSION}`, '\r\n'],
    ['', ' ', `${VERSION} `, '\r\n'],
    ['', ' ', VERSION, '\n'],
    ['', ' ', ' HTTP/01.1', '\r\n'],
    ['', ' ', ' HTTP/1.01', '\r\n'],
    ['', ' ', ' http/1.1', '\r\n'],
    // Node's parser takes it for HTTP/1.0, and so it is passed on.
    ['', ' ', ' RTSP/1.0', '\r\n'],
  ),
  parts<Frame>(
    'refused',
    ['', ' ', '', '\r\n'],
    ['', ' ', ' HTTP/0.9', '\r\n'],
    ['', ' ', ' HTTP/1.2', '\r\n'],
    ['', ' ', ' HTTP/2.0', '\r\n'],
    ['', ' ', ' ICE/1.0', '\r\n'],
    ['', ' ', ` y${VERSION}`, '\r\n'],
    ['', ' ', VERSION, '\r'],
    [' ', ' ', VERSION, '\r\n'],
    ['\0', ' ', VERSION, '\r\n'],
    ['', '\t', VERSION, '\r\n'],
    ['', '\x0b', VERSION, '\r\n'],
    ['', ' ', '\tHTTP/1.1', '\r\n'],
    ['', ' ', '\x0cHTTP/1.1', '\r\n'],
  ),
)

/** First lines: method, target, version, and what stands between and around them. */
export const requestLines: fc.Arbitrary<Part<RequestLine>> = fc
  .tuple(methods, targets, frames)
  .map(([method, target, frame]) => {
    const [before, first, second, end] = frame.value
    const text = before + method.value + first + target.value + second + end
    const value = { method: method.value, target: target.value, text }
    return { kind: worstOf([method.kind, target.kind, frame.kind]), value }
  })

/** The kind of a whole of these. */
export function worstOf(kinds: readonly Kind[]): Kind {
  if (kinds.includes('refused')) return 'refused'
  return kinds.includes('odd') ? 'odd' : 'plain'
}
