import { type Files, unreadable } from './files.ts'
import { type ConfigProblem, problemWith } from './problem.ts'
import { isServiceLink } from './unknown-names.ts'
import { fullName, VARIABLE_NAMES, VARIABLES, type VariableName } from './variables.ts'

/** The text of each variable that is set; what is empty counts as not set. */
export type Texts = ReadonlyMap<VariableName, string>

/**
 * Picks the variables out of the environment and secrets out of their `_FILE`. `unusable` names
 * those that were set in a way that gave no text.
 */
export function readTexts(
  env: Readonly<Record<string, string | undefined>>,
  files: Files,
): { texts: Texts; unusable: ReadonlySet<VariableName>; problems: ConfigProblem[] } {
  const texts = new Map<VariableName, string>()
  const unusable = new Set<VariableName>()
  const problems: ConfigProblem[] = []
  for (const name of VARIABLE_NAMES) {
    const text = readText(name, env, files)
    if (text.kind === 'set') texts.set(name, text.text)
    if (text.kind === 'wrong') {
      unusable.add(name)
      problems.push(problemWith(name, text.problem))
    }
  }
  return { texts, unusable, problems }
}

type Text = { kind: 'set'; text: string } | { kind: 'unset' } | { kind: 'wrong'; problem: string }

function readText(
  name: VariableName,
  env: Readonly<Record<string, string | undefined>>,
  files: Files,
): Text {
  const direct = env[fullName(name)] ?? ''
  if (!VARIABLES[name].secret) {
    const text = direct.trim()
    return text === '' || isServiceLink(fullName(name), text)
      ? { kind: 'unset' }
      : { kind: 'set', text }
  }
  const path = env[`${fullName(name)}_FILE`] ?? ''
  if (path === '') return direct === '' ? { kind: 'unset' } : { kind: 'set', text: direct }
  return direct === ''
    ? readSecretFile(name, path, files)
    : { kind: 'wrong', problem: `is set, and so is ${fullName(name)}_FILE; keep one of the two` }
}

function readSecretFile(name: VariableName, path: string, files: Files): Text {
  try {
    // Editors and `echo` end a file with a line break that is no part of the secret.
    const text = files.read(path).replace(/\r?\n$/, '')
    return text === ''
      ? { kind: 'wrong', problem: `is empty in the file of ${fullName(name)}_FILE` }
      : { kind: 'set', text }
  } catch (error) {
    const problem = `comes from ${fullName(name)}_FILE, but ${unreadable(path, error)}`
    return { kind: 'wrong', problem }
  }
}
