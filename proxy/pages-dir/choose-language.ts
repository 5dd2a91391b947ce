/** What a browser or a client asks for. */
export type AskedLanguages = {
  /** Language tags with spaces between, best first (OpenID Connect Core §3.1.2.1). */
  readonly uiLocales?: string
  /** RFC 9110 §12.5.4 */
  readonly acceptLanguage?: string
}

// Longer lists come from nobody's browser.
const LONGEST = 1000

/**
 * The available language that suits best: the first of `ui_locales` that there is, then by the
 * weights of Accept-Language, else English. `de-AT` is content with `de`, and `pt` with `pt-BR`
 * (RFC 4647 §3.4).
 */
export function chooseLanguage(available: readonly string[], asked: AskedLanguages): string {
  const uiLocales = (asked.uiLocales ?? '').slice(0, LONGEST).split(/\s+/)
  const weighed = weigh((asked.acceptLanguage ?? '').slice(0, LONGEST))
  for (const tag of [...uiLocales, ...weighed]) {
    const found = lookUp(available, tag.toLowerCase())
    if (found !== undefined) return found
  }
  return 'en'
}

function weigh(header: string): readonly string[] {
  return header
    .split(',')
    .map((item) => {
      const [tag = '', ...parameters] = item.split(';').map((part) => part.trim())
      const quality = parameters.find((parameter) => /^q\s*=/i.test(parameter))
      const value = quality === undefined ? 1 : Number(quality.replace(/^q\s*=\s*/i, ''))
      return { tag, weight: value >= 0 && value <= 1 ? value : 0 }
    })
    .filter(({ weight }) => weight > 0)
    .sort((one, other) => other.weight - one.weight)
    .map(({ tag }) => tag)
}

function lookUp(available: readonly string[], wanted: string): string | undefined {
  if (!/^[a-z]{2,8}(-[a-z0-9]{1,8})*$/.test(wanted)) return undefined
  const subtags = wanted.split('-')
  for (let length = subtags.length; length > 0; length -= 1) {
    const range = subtags.slice(0, length).join('-')
    const exact = available.find((tag) => tag.toLowerCase() === range)
    if (exact !== undefined) return exact
  }
  return available.find((tag) => tag.toLowerCase().startsWith(`${subtags[0]}-`))
}
