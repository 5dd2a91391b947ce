import { foldCase } from './fold-case.ts'
import { matchesWildcards, type Wildcards } from './wildcard.ts'

/** The segments of a path pattern: text with `*` for any characters, or `**` for any segments. */
export type PathPattern = readonly string[]

const ANY_DEPTH = '**'

const CHARACTERS: Wildcards<string, string> = {
  isWild: (part) => part === '*',
  fits: (part, item) => part === item,
}

const SEGMENTS: Wildcards<string, string> = {
  isWild: (part) => part === ANY_DEPTH,
  fits: fitsSegment,
}

/** Here the items are parts of another pattern; what is wild in it, only a wild part covers. */
const PATTERN_SEGMENTS: Wildcards<string, string> = {
  isWild: (part) => part === ANY_DEPTH,
  fits: (part, item) => item !== ANY_DEPTH && fitsGlob(part, item),
}

/** Reads a pattern that begins with `/`. Case and a slash at the end make no difference. */
export function parsePathPattern(text: string): PathPattern {
  return segmentsOf(foldCase(text))
}

/**
 * A test for canonical paths. A segment that still has its `;parameters` fits with and without
 * them, and a slash at the end makes no difference.
 */
export function compilePathPattern(pattern: PathPattern): (path: string) => boolean {
  const wildAt = pattern.findIndex((segment) => segment.includes('*'))
  const plain = wildAt < 0 ? pattern : pattern.slice(0, wildAt)
  const base = plain.map((segment) => `/${segment}`).join('')
  const below = `${base}/`
  const general = (path: string) => matchesWildcards(pattern, segmentsOf(path), SEGMENTS)
  if (wildAt < 0) {
    return (path) => (path.includes(';') ? general(path) : path === base || path === below)
  }
  if (pattern[wildAt] === ANY_DEPTH && wildAt === pattern.length - 1) {
    return (path) => (path.includes(';') ? general(path) : path === base || path.startsWith(below))
  }
  return (path) => (path.includes(';') || path.startsWith(base)) && general(path)
}

/** The first segment that each path must have which the pattern matches; undefined if they differ. */
export function firstSegmentOf([first]: PathPattern): string | undefined {
  return first?.includes('*') ? undefined : first
}

/** Whether the first pattern surely matches every path that the second one matches. */
export function coversPattern(wide: PathPattern, narrow: PathPattern): boolean {
  return matchesWildcards(wide, narrow, PATTERN_SEGMENTS)
}

function segmentsOf(path: string): string[] {
  const segments = path.split('/')
  segments.shift()
  const last = segments.at(-1)
  if (last === '' || last?.startsWith(';')) segments.pop()
  return segments
}

function fitsSegment(part: string, segment: string): boolean {
  if (fitsGlob(part, segment)) return true
  const parameters = segment.indexOf(';')
  return parameters >= 0 && fitsGlob(part, segment.slice(0, parameters))
}

function fitsGlob(glob: string, text: string): boolean {
  if (glob === '*' || glob === text) return true
  return glob.includes('*') && matchesWildcards(glob, text, CHARACTERS)
}
