import type { Values, VariableName } from './variables.ts'

/** What the steps that look at several variables work with. */
export type Settings = {
  /** Variables that somebody set, whether or not their value is any good. */
  readonly given: ReadonlySet<VariableName>
  /** What could be read, defaults included. */
  readonly values: Partial<Values>
}

/** Takes what is wrong with a variable in the light of others. */
export type Report = (variable: VariableName, problem: string) => void

/** Takes a sentence about what is allowed, but perhaps not meant. */
export type Warn = (sentence: string) => void
