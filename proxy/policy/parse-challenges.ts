/** One challenge of `WWW-Authenticate`; scheme and names of parameters in lower case. */
export type AuthChallenge = {
  readonly scheme: string
  /** Without those of a challenge that has a `token68` instead. */
  readonly params: ReadonlyMap<string, string>
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y
const BLANK = /[\t ]+/y
const LIST_GAP = /[\t ,]*/y
const EQUALS = /[\t ]*=[\t ]*/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what may not stand in one
const QUOTED = /"((?:[^"\\\0-\x08\n-\x1f\x7f]|\\[^\0-\x08\n-\x1f\x7f])*)"/y
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*(?=[\t ]*(?:,|$))/y
const ELEMENT_END = /[\t ]*(?:,|$)/y

/**
 * The challenges of all `WWW-Authenticate` fields of a response, in order (RFC 9110 §11.6.1). Fields
 * are one list, so that a parameter in one may belong to a scheme in the one before. A challenge that
 * is malformed, or says something twice, is left out with what follows it in its field.
 */
export function parseChallenges(fields: readonly string[]): readonly AuthChallenge[] {
  const found: Reading[] = []
  for (const field of fields) {
    const last = readField(field, found) ? undefined : found.at(-1)
    if (last !== undefined) last.faulty = true
  }
  return found.filter(({ faulty }) => !faulty)
}

type Reading = { readonly scheme: string; readonly params: Map<string, string>; faulty: boolean }

/** Adds what a field holds; false when it breaks off in the last of them. */
function readField(field: string, found: Reading[]): boolean {
  let at = 0
  /** What the pattern matches here, which is then behind us. */
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const match = pattern.exec(field)
    if (match === null) return undefined
    at = pattern.lastIndex
    return match[1] ?? match[0]
  }

  /** `name = value`, where a value is a token or a quoted string. */
  const takeParam = (): 'taken' | 'none' | 'fault' => {
    const start = at
    const name = take(TOKEN)
    if (name === undefined || take(EQUALS) === undefined) {
      at = start
      return 'none'
    }
    const token = take(TOKEN)
    const value = token ?? take(QUOTED)?.replace(/\\(.)/gs, '$1')
    const params = found.at(-1)?.params
    const folded = name.toLowerCase()
    if (value === undefined || params === undefined || params.has(folded)) return 'fault'
    params.set(folded, value)
    return 'taken'
  }

  for (;;) {
    take(LIST_GAP)
    if (at === field.length) return true
    let param = takeParam()
    if (param === 'none') {
      const scheme = take(TOKEN)
      if (scheme === undefined) return false
      found.push({ scheme: scheme.toLowerCase(), params: new Map(), faulty: false })
      if (take(BLANK) !== undefined && take(TOKEN68) === undefined) param = takeParam()
    }
    if (param === 'fault' || take(ELEMENT_END) === undefined) return false
  }
}
