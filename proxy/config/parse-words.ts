import { ok, type Parsed, wrong } from './parsed.ts'

/** Words separated by spaces or commas, without duplicates, each matching `pattern`. */
export function parseWords(
  text: string,
  pattern: RegExp,
  whatItMustBe: string,
): Parsed<readonly [string, ...string[]]> {
  const [first, ...rest] = new Set(text.split(/[\s,]+/).filter((word) => word !== ''))
  if (first === undefined) return wrong(`it holds no ${whatItMustBe}`)
  const bad = [first, ...rest].filter((word) => !pattern.test(word))
  return bad.length > 0
    ? wrong(...bad.map((word) => `${JSON.stringify(word)} is no ${whatItMustBe}`))
    : ok([first, ...rest])
}

/** Scopes (RFC 6749 §3.3); `openid` must be among them. */
export function parseScopes(text: string): Parsed<readonly string[]> {
  const words = parseWords(text, /^[\x21\x23-\x5b\x5d-\x7e]+$/, 'scope')
  return words.kind === 'ok' && !words.value.includes('openid')
    ? wrong('it must contain openid')
    : words
}
