import { decodePercent } from './decode-percent.ts'

type Reading = (path: string) => readonly string[]

/**
 * Every reading of a path that `findPathProblem` has nothing against, decoded, case kept. Servers
 * differ in whether `;parameters` are cut off before or after decoding or not at all, whether `%2F`
 * is a slash, whether `%3F` and `%23` end a path that is parsed again, and in what they make of bytes
 * that are not UTF-8. Each of these at most doubles the readings, so there are never more than 32.
 */
export function readPath(path: string): readonly string[] {
  return READINGS.reduce<readonly string[]>(
    (paths, read) => [...new Set(paths.flatMap(read))],
    [path],
  )
}

const READINGS: readonly Reading[] = [
  readParameters,
  readEncodedSlashes,
  (path) => [decodePercent(path)],
  readParameters,
  readEncodedEnd,
  readCharacters,
]

function readParameters(path: string): readonly string[] {
  return path.includes(';') ? [path.replace(/;[^/]*/g, ''), path] : [path]
}

/** As a slash, and as a character, which then stays encoded so as not to look like a slash. */
function readEncodedSlashes(path: string): readonly string[] {
  const slashes = path.replace(/%2f/gi, '/')
  return slashes === path ? [path] : [slashes, path.replace(/%2f/gi, '%252f')]
}

function readEncodedEnd(path: string): readonly string[] {
  const end = path.search(/[?#]/)
  return end < 0 ? [path] : [path, path.slice(0, end)]
}

/** As UTF-8, and if some bytes are none, also all as Latin-1. */
function readCharacters(path: string): readonly string[] {
  const utf8 = path.replace(UTF8_SEQUENCES, (bytes) => Buffer.from(bytes, 'latin1').toString())
  return NOT_UTF8.test(path.replace(UTF8_SEQUENCES, '')) ? [utf8, path] : [utf8]
}

/** Characters of two to four bytes (RFC 3629 §4). */
const UTF8_SEQUENCES =
  /(?:[\xc2-\xdf]|\xe0[\xa0-\xbf]|\xed[\x80-\x9f]|[\xe1-\xec\xee\xef][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]|[\xf1-\xf3][\x80-\xbf]{2}|\xf4[\x80-\x8f][\x80-\xbf])[\x80-\xbf]/g

const NOT_UTF8 = /[\x80-\xff]/
