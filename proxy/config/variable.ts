import type * as z from 'zod'

/** What an operator must know about a variable besides how it is read. */
export type VariableNotes = {
  /** One sentence or two for the README's table, in Markdown. */
  readonly doc: string
  /** A value that works, for problems; never one that could be used as a secret. */
  readonly example: string
  /** How the table shows a default that is worked out from other variables. */
  readonly defaultNote?: string
  /** Never shown, and `NAME_FILE` may hold its path instead. */
  readonly secret?: boolean
  /** The secret is a part of the value, and what describes it masks that part alone. */
  readonly masksItself?: boolean
  /** The value may be a secret put in the wrong place, so problems don't quote it. */
  readonly unquoted?: boolean
}

/** One `STEPGATE_` variable; its schema reads text, or undefined where it may be left out. */
export type Variable<S extends z.ZodType = z.ZodType> = VariableNotes & {
  readonly schema: S
  readonly required: boolean
  /** The text that stands for the variable when it is not set. */
  readonly default?: string
}

/** A variable that must be set. */
export function required<T>(
  schema: z.ZodType<T, string>,
  notes: VariableNotes,
): Variable<z.ZodType<T, string>> {
  return { ...notes, schema, required: true }
}

/** A variable that may be left out and then is undefined. */
export function optional<T>(
  schema: z.ZodType<T, string>,
  notes: VariableNotes,
): Variable<z.ZodOptional<z.ZodType<T, string>>> {
  return { ...notes, schema: schema.optional(), required: false }
}

/** A variable that is read as this text when it is left out. */
export function defaulted<T>(
  schema: z.ZodType<T, string>,
  text: string,
  notes: VariableNotes,
): Variable<z.ZodPrefault<z.ZodType<T, string>>> {
  return { ...notes, schema: schema.prefault(text), required: false, default: text }
}
