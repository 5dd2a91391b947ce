import { gsm7Brand, safeBrand } from './plain-brand.ts'
import { smsSegments } from './segments.ts'

/**
 * A sentence of the reader's language. `sms.code` has `{brand}`, `{code}` and `{minutes}` (two or
 * more), `sms.code_one` is for one minute, `sms.code_soon` for less than one.
 */
export type CodeSentence = (
  key: 'sms.code' | 'sms.code_one' | 'sms.code_soon',
  values: { brand: string; code: string; minutes: number },
) => string

/** `validFor` in ms; `host` is the configured public URL's, a port in it is left out. */
export type CodeMessage = {
  t: CodeSentence
  brand: string
  code: string
  validFor: number
  host: string
}

/**
 * The text that carries a code; its last line binds the code to the host, as browsers read it:
 * `@host #123456`, without a port (WICG, Origin-bound one-time codes delivered via SMS, §3).
 * The brand is spelled in GSM-7 where the language is, and what is beyond its first 11 letters is
 * cut where it would cost a segment.
 */
export function codeMessage({ t, brand, code, validFor, host }: CodeMessage): string {
  const hostname = host.replace(/:\d+$/, '')
  // Rounded down: a code must not die before the text says so.
  const minutes = Math.floor(validFor / 60_000)
  const key = minutes > 1 ? 'sms.code' : minutes === 1 ? 'sms.code_one' : 'sms.code_soon'
  const withBrand = (name: string) =>
    `${oneLine(t(key, { brand: name, code, minutes }))}\n@${hostname} #${code}`

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

function oneLine(sentence: string): string {
  return sentence.replace(/\s+/g, ' ').trim()
}

function lettersOf(name: string): string[] {
  return Array.from(new Intl.Segmenter().segment(name.slice(0, 160)), (part) => part.segment)
}

function shortened(letters: readonly string[], count: number): string {
  return letters.slice(0, count).join('').trim()
}
