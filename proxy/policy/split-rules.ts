/** One statement of `STEPGATE_RULES`. */
export type Statement = {
  /** The line that it is in, from 1. */
  readonly line: number
  /** As written, without the space around it. */
  readonly source: string
  /** Split at white space; quotes are kept. */
  readonly words: readonly string[]
  /** A quote that the line doesn't close. */
  readonly openQuote: boolean
}

/**
 * Statements end with their line or at `;`. A line that begins with `#` is a comment. Double quotes
 * keep white space, `;` and commas within a word.
 */
export function splitRules(text: string): readonly Statement[] {
  return text
    .split(/\r\n|\n|\r/)
    .flatMap((line, index) => (/^\s*#/.test(line) ? [] : splitLine(line, index + 1)))
}

function splitLine(text: string, line: number): Statement[] {
  const parts = text.match(/(?:[^;"]|"[^"]*"|".*$)+/g) ?? []
  return parts.flatMap((part) => {
    const source = part.trim()
    if (source === '') return []
    const words = source.match(/(?:[^\s"]|"[^"]*"|".*$)+/g) ?? []
    return [{ line, source, words, openQuote: source.split('"').length % 2 === 0 }]
  })
}
