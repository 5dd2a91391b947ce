import { decodePercent } from './decode-percent.ts'

/** Why a path is refused, as it could be read in two ways. */
export type PathProblem =
  | 'malformed-escape'
  | 'control-character'
  | 'backslash'
  | 'encoded-slash'
  | 'overlong-character'
  | 'empty-segment'
  | 'dot-segment'

/**
 * What makes a path ambiguous, if anything. `path` holds latin1 bytes and begins with `/`. `%5C`
 * is refused even where `%2F` is allowed. A segment of nothing but `;parameters` counts as empty,
 * since servers differ in whether they merge the slashes around it; only at the end it is harmless.
 */
export function findPathProblem(
  path: string,
  { encodedSlashes }: { readonly encodedSlashes: 'reject' | 'allow' },
): PathProblem | undefined {
  if (/%(?![\da-f]{2})/i.test(path)) return 'malformed-escape'
  if (encodedSlashes === 'reject' && /%2f/i.test(path)) return 'encoded-slash'
  const decoded = decodePercent(path)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\0-\x1f\x7f]/.test(decoded)) return 'control-character'
  if (decoded.includes('\\')) return 'backslash'
  if (OVERLONG_ASCII.test(decoded)) return 'overlong-character'
  // Encoded slashes count as slashes from here on: as characters they could hide nothing more.
  if (decoded.split('/').some(isDotSegment)) return 'dot-segment'
  return /\/(?:;[^/]*)?\//.test(decoded) ? 'empty-segment' : undefined
}

/**
 * An ASCII character in two to six bytes, as lax decoders of UTF-8 accept it (RFC 3629 §10):
 * `C0 AE`, `E0 80 AE`, `F0 80 80 AE` are all `.`.
 */
const OVERLONG_ASCII =
  /[\xc0\xc1][\x80-\xbf]|(?:\xe0|\xf0\x80|\xf8\x80\x80|\xfc\x80\x80\x80)[\x80\x81][\x80-\xbf]/

/**
 * Also with parameters (`..;x`) or an encoded query (`..%3Fx`), with spaces after it, which Windows
 * ignores, and encoded twice.
 */
function isDotSegment(segment: string): boolean {
  const again = segment.replace(/%(?:25)*2e/gi, '.').replace(/%(?:25)*3b/gi, ';')
  return again.split(/[\\/]|%(?:25)*(?:2f|5c)/i).some((part) => /^\.\.?(?: *$| *[;?#])/.test(part))
}
