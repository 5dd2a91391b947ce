import { NO_ORIGIN } from '../request/web-socket-origin.ts'
import { parsePublicUrl } from './parse-url.ts'
import { ok, type Parsed, wrong } from './parsed.ts'

/** Origins as browsers write them, or `none`, separated by commas or spaces. */
export function parseOrigins(text: string): Parsed<readonly string[]> {
  const words = text.split(/[\s,]+/).filter((word) => word !== '')
  const origins: string[] = []
  const problems: string[] = []
  for (const word of words) {
    const parsed = word === NO_ORIGIN ? undefined : parsePublicUrl(word)
    if (parsed?.kind === 'wrong') {
      problems.push(...parsed.problems.map((problem) => `${JSON.stringify(word)}: ${problem}`))
    } else {
      origins.push(parsed?.value.origin ?? NO_ORIGIN)
    }
  }
  return problems.length > 0 ? wrong(...problems) : ok([...new Set(origins)])
}
