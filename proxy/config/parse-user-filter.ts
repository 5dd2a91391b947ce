import { ok, type Parsed, wrong } from './parsed.ts'

const PLACEHOLDERS = ['{username}', '{sub}', '{email}']

/** An LDAP filter (RFC 4515) in one pair of parentheses, with one placeholder of the person or more. */
export function parseUserFilter(text: string): Parsed<string> {
  if (!isBalanced(text)) return wrong('it must be one filter in balanced parentheses')
  const placeholders = text.match(/\{[^}]*\}?/g) ?? []
  const unknown = placeholders.filter((placeholder) => !PLACEHOLDERS.includes(placeholder))
  if (unknown.length > 0 || text.replace(/\{[^}]*\}/g, '').includes('}')) {
    return wrong(`only ${PLACEHOLDERS.join(', ')} can stand in braces`)
  }
  if (placeholders.length === 0) {
    return wrong(`it must hold ${PLACEHOLDERS.join(' or ')}, or everybody is the same person`)
  }
  return ok(text)
}

/** One outermost pair; a parenthesis in a value is written `\28` or `\29`, so counting is enough. */
function isBalanced(text: string): boolean {
  let depth = 0
  for (let index = 0; index < text.length; index++) {
    if (text[index] === '(') depth++
    if (text[index] === ')') depth--
    if (depth <= 0 && index < text.length - 1) return false
  }
  return text.length > 0 && depth === 0 && text.endsWith(')')
}
