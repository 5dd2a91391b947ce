import { gsm7Brand, safeBrand } from './plain-brand.ts'
import { smsSegments } from './segments.ts'

/**
 * A sentence of the reader's language, as `Translate` of the pages gives it: `sms.text` with
 * `{brand}`, `{code}` and `{count}` whole minutes, `sms.text-soon` for less than one.
 */
export type CodeSentence = (
  key: 'sms.text' | 'sms.text-soon',
  values: { readonly brand: string; readonly code: string; readonly count: number },
) => string

/** `validFor` in ms; `host` is the configured public URL's, a port in it is left out. */
export type CodeMessage = {
  readonly t: CodeSentence
  readonly brand: string
  readonly code: string
  readonly validFor: number
  readonly host: string
}

/**
 * The text that carries a code; its last line binds the code to the host, as browsers read it:
 * `@host #123456`, without a port (WICG, Origin-bound one-time codes delivered via SMS, §3).
 * The brand is spelled in GSM-7 where the language is, and what is beyond its first 11 letters is
 * cut where it would cost a segment.
 */
export function codeMessage({ t, brand, code, validFor, host }: CodeMessage): string {
  const hostname = host.replace(/:\d+$/, '')
  const withBrand = (name: string) =>
    `${sentence(t, { brand: name, code, validFor })}\n@${hostname} #${code}`

  const safe = safeBrand(brand, code.length)
  const inGsm7 = smsSegments(withBrand('')).encoding === 'gsm-7'
  const letters = lettersOf((inGsm7 ? gsm7Brand(safe) : safe) || hostname)
  const segments = (count: number) => smsSegments(withBrand(shortened(letters, count))).segments
  const allowed = segments(ALWAYS_SHOWN)
  let shown = letters.length
  while (shown > ALWAYS_SHOWN && segments(shown) > allowed) shown -= 1
  return withBrand(shortened(letters, shown))
}

// As many as an alphanumeric sender has.
const ALWAYS_SHOWN = 11

function sentence(
  t: CodeSentence,
  { brand, code, validFor }: Pick<CodeMessage, 'brand' | 'code' | 'validFor'>,
): string {
  // Rounded down: a code must not die before the text says so.
  const values = { brand, code, count: Math.floor(validFor / 60_000) }
  const soon = values.count < 1 ? t('sms.text-soon', values) : ''
  // A key that a language lacks comes back as it is, without the code.
  return (soon.includes(code) ? soon : t('sms.text', values)).replace(/\s+/g, ' ').trim()
}

function lettersOf(name: string): string[] {
  return Array.from(new Intl.Segmenter().segment(name.slice(0, 160)), (part) => part.segment)
}

function shortened(letters: readonly string[], count: number): string {
  return letters.slice(0, count).join('').trim()
}
