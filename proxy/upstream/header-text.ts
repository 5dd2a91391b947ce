/** How text outside ASCII travels in a header: as its UTF-8 bytes, or percent-encoded. */
export type TextEncoding = 'utf-8' | 'percent'

/** C0, DEL, C1 and the two Unicode line breaks: what could end a header or forge a line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g
/** A recipient trims a value, so that `alice ` would become `alice`. */
const ENDS = /^ +| +$/g
const NON_ASCII = /[\u0080-\u{10ffff}]/gu

/** Percent-encodes (as UTF-8) what must never reach a header as it is. */
export function escapeControls(text: string): string {
  return text.toWellFormed().replace(CONTROLS, encodeURIComponent)
}

/**
 * A claim as a latin1 string for a header: control characters and spaces at its ends
 * percent-encoded, the rest as configured. `percent` also encodes `%`, so that the value decodes.
 */
export function encodeClaim(text: string, encoding: TextEncoding): string {
  const percent = encoding === 'percent' ? text.replaceAll('%', '%25') : text
  return encodeLiteral(percent, encoding).replace(ENDS, encodeURIComponent)
}

/** Text of the operator, as a latin1 string for a header. */
export function encodeLiteral(text: string, encoding: TextEncoding): string {
  const safe = escapeControls(text)
  return encoding === 'percent'
    ? safe.replace(NON_ASCII, encodeURIComponent)
    : Buffer.from(safe, 'utf8').toString('latin1')
}
