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

/** Names of groups, which may hold spaces and commas, separated by `;` or line breaks. */
export function parseGroups(text: string): Parsed<readonly string[]> {
  const names = text.split(/[;\r\n]+/).map((name) => name.trim())
  const groups = [...new Set(names)].filter((name) => name !== '')
  return groups.length === 0 ? wrong('it holds no name of a group') : ok(groups)
}

/** Scopes (RFC 6749 §3.3); `openid` must be among them. */
export function parseScopes(text: string): Parsed<readonly string[]> {
  const words = parseWords(text, /^[\x21\x23-\x5b\x5d-\x7e]+$/, 'scope')
  return words.kind === 'ok' && !words.value.includes('openid')
    ? wrong('it must contain openid')
    : words
}
