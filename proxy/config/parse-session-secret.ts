import { ok, type Parsed, wrong } from './parsed.ts'

/** Characters that iron-session asks of a password at least. */
const MIN_LENGTH = 32

/** Secrets separated by commas; the first one seals. Problems name them by position, never by content. */
export function parseSessionSecret(text: string): Parsed<readonly [string, ...string[]]> {
  const secrets = text.split(',').map((part) => part.trim())
  const problems = secrets.flatMap((secret, index) => {
    const what = secrets.length > 1 ? `secret ${index + 1} of ${secrets.length}` : 'it'
    if (secret.length < MIN_LENGTH) {
      return [`${what} has ${secret.length} characters, and needs at least ${MIN_LENGTH}`]
    }
    if (isGuessable(secret)) return [`${what} repeats itself; it must be random`]
    if (secrets.indexOf(secret) < index) return [`${what} is there twice`]
    return []
  })
  const [newest, ...older] = secrets
  return problems.length > 0 || newest === undefined ? wrong(...problems) : ok([newest, ...older])
}

/** Fewer than 8 different characters, or one piece written twice or more. */
function isGuessable(secret: string): boolean {
  if (new Set(secret).size < 8) return true
  for (let period = 1; period <= secret.length / 2; period++) {
    if (secret.startsWith(secret.slice(period))) return true
  }
  return false
}
