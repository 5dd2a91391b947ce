import { fullName, VARIABLES, type VariableName } from './variables.ts'

/** One thing to put right; `problem` continues the sentence that `variable` begins. */
export type ConfigProblem = {
  /** With its prefix, as in the environment. */
  readonly variable: string
  readonly problem: string
  /** A value that would do. */
  readonly example?: string
}

/** A problem of a known variable, with the example of its table entry. */
export function problemWith(name: VariableName, problem: string): ConfigProblem {
  return { variable: fullName(name), problem, example: VARIABLES[name].example }
}

/** Quotes a value for a message: escaped, at most 80 characters, without a URL's user part. */
export function quote(value: string): string {
  // Up to the last @: a password may hold one, or a slash.
  const shown = value.replace(/\/\/.*@/s, '//***@')
  return JSON.stringify(shown.length > 80 ? `${shown.slice(0, 79)}…` : shown)
}
