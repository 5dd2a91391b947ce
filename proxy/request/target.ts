import { foldCase } from '../policy/fold-case.ts'
import { findPathProblem, type PathProblem } from './path-problem.ts'
import { readPath } from './read-path.ts'

/** Where a request goes: what is forwarded, and what the rules judge. */
export type Target = {
  /** Byte for byte as received and as forwarded. */
  readonly raw: string
  /**
   * Every reading that an application may give to the path: decoded once, case folded. Where
   * applications differ there are several, as with `;parameters`: cut off, and as they stand.
   */
  readonly paths: readonly [string, ...string[]]
  /** As received, with its `?`; '' if there is none. */
  readonly query: string
}

/** Why a target is refused. */
export type TargetProblem = PathProblem | 'not-origin-form' | 'fragment' | 'control-character'

/** Whether `%2F` is refused, or passes and is judged both as a slash and as a character. */
export type TargetOptions = { readonly encodedSlashes: 'reject' | 'allow' }

/**
 * Reads the target of a request, a latin1 string of its bytes as node:http gives it. Only the
 * origin form (RFC 9112 §3.2.1) is accepted, and only if applications can't read its path in ways
 * that the rules wouldn't see. Never throws.
 */
export function parseTarget(
  rawUrl: string,
  options: TargetOptions,
): { kind: 'ok'; target: Target } | { kind: 'rejected'; reason: TargetProblem } {
  if (!rawUrl.startsWith('/')) return { kind: 'rejected', reason: 'not-origin-form' }
  const end = rawUrl.indexOf('?')
  const path = end < 0 ? rawUrl : rawUrl.slice(0, end)
  const query = end < 0 ? '' : rawUrl.slice(end)
  if (SIMPLE_PATH.test(path) && !UNSAFE_BYTE.test(query)) {
    return { kind: 'ok', target: { raw: rawUrl, paths: [path.toLowerCase()], query } }
  }
  if (rawUrl.includes('#')) return { kind: 'rejected', reason: 'fragment' }
  if (UNSAFE_BYTE.test(rawUrl)) return { kind: 'rejected', reason: 'control-character' }
  const reason = findPathProblem(path, options)
  if (reason !== undefined) return { kind: 'rejected', reason }
  const [first = '', ...others] = new Set(readPath(path).map(foldCase))
  return { kind: 'ok', target: { raw: rawUrl, paths: [first, ...others], query } }
}

/** Segments that every application reads alike; none begins with a dot. */
const SIMPLE_PATH = /^(?:\/[\w~!$&'()*+,=:@-][\w.~!$&'()*+,=:@-]*)*\/?$/

/** A control character, a space (which HTTP/2 could bring), `#`, or what is no byte. */
const UNSAFE_BYTE = /[\0-\x20\x7f#]|[^\0-\xff]/
