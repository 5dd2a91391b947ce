import * as z from 'zod'

/** What a parser made of a variable's text; each problem completes `it is "…"; `. */
export type Parsed<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] }

export function ok<T>(value: T): Parsed<T> {
  return { kind: 'ok', value }
}

export function wrong(...problems: readonly string[]): Parsed<never> {
  return { kind: 'wrong', problems }
}

/** A zod schema that reads text with a parser and reports each of its problems. */
export function parsedBy<T>(parse: (text: string) => Parsed<T>): z.ZodType<T, string> {
  return z.string().transform((text, context) => {
    const parsed = parse(text)
    if (parsed.kind === 'ok') return parsed.value
    for (const message of parsed.problems) context.addIssue({ code: 'custom', message })
    return z.NEVER
  })
}
