import type { Prompt } from './config.ts'
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

const PROMPTS: readonly string[] = ['login', 'consent', 'select_account'] satisfies Prompt[]

/** What to ask people at the provider (OpenID Connect Core §3.1.2.1). */
export function parsePrompt(text: string): Parsed<readonly Prompt[]> {
  const words = parseWords(text, /^\S+$/, 'prompt')
  if (words.kind === 'wrong') return words
  if (words.value.includes('none')) {
    return wrong('with none nobody could sign in who is not signed in at the provider already')
  }
  const known = (word: string): word is Prompt => PROMPTS.includes(word)
  return words.value.every(known) ? ok(words.value) : wrong(`it may hold ${PROMPTS.join(', ')}`)
}

/** At most five language tags (BCP 47), as `ui_locales` has them. */
export function parseLocales(text: string): Parsed<string> {
  const words = parseWords(text, /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/, 'language tag')
  if (words.kind === 'wrong') return words
  return words.value.length > 5 ? wrong('it holds more than five') : ok(words.value.join(' '))
}
