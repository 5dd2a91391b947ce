import type * as z from 'zod'
import { type ConfigProblem, problemWith, quote } from './problem.ts'
import type { Texts } from './read-texts.ts'
import type { Variable } from './variable.ts'
import { VARIABLE_NAMES, VARIABLES, type Values, type VariableName } from './variables.ts'

/** Reads each variable by its schema. `values` lacks those that have a problem. */
export function readValues(
  texts: Texts,
  unusable: ReadonlySet<VariableName>,
): { values: Partial<Values>; problems: ConfigProblem[] } {
  const values: Partial<Record<VariableName, unknown>> = {}
  const problems: ConfigProblem[] = []
  for (const name of VARIABLE_NAMES) {
    if (unusable.has(name)) continue
    const text = texts.get(name)
    const variable: Variable = VARIABLES[name]
    if (text === undefined && variable.required) {
      problems.push(problemWith(name, 'is not set'))
      continue
    }
    const parsed = variable.schema.safeParse(text)
    if (parsed.success) values[name] = parsed.data
    else problems.push(...explain(name, text ?? '', parsed.error))
  }
  // Each value came out of the schema that its type is derived from.
  return { values: values as Partial<Values>, problems }
}

function explain(name: VariableName, text: string, error: z.ZodError): ConfigProblem[] {
  const { secret, unquoted }: Variable = VARIABLES[name]
  const subject = secret || unquoted ? 'is not usable: ' : `is ${quote(text)}; `
  return error.issues.map((issue) => problemWith(name, `${subject}${issue.message}`))
}
