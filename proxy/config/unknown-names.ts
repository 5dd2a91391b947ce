import { nearestName } from './nearest-name.ts'
import type { ConfigProblem } from './problem.ts'
import { fullName, VARIABLE_NAMES, VARIABLES } from './variables.ts'

const PLAIN_NAMES: readonly string[] = VARIABLE_NAMES.map(fullName)

/** Every name that may be set, `_FILE` ones of secrets among them. */
const KNOWN_NAMES: readonly string[] = VARIABLE_NAMES.flatMap((name) =>
  isSecret(name) ? [fullName(name), `${fullName(name)}_FILE`] : [fullName(name)],
)

/** A problem for each `STEPGATE_` variable that nobody would read. */
export function unknownNames(env: Readonly<Record<string, string | undefined>>): ConfigProblem[] {
  return Object.entries(env)
    .filter(([name, value]) => name.startsWith('STEPGATE_') && !isServiceLink(name, value))
    .filter(([name]) => !KNOWN_NAMES.includes(name))
    .map(([name]) => ({ variable: name, problem: explain(name) }))
}

/**
 * Kubernetes and Docker links describe a service called `stepgate` or `stepgate-…` to the
 * containers beside it in variables of these forms; nobody chose them.
 */
export function isServiceLink(name: string, value: string | undefined): boolean {
  if (/^STEPGATE_(\w+_)?SERVICE_(HOST|PORT(_\w+)?)$/.test(name)) return true
  if (/^STEPGATE_(\w+_)?PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name)) return true
  return /^STEPGATE_(\w+_)?PORT$/.test(name) && /^(tcp|udp|sctp):\/\//.test(value ?? '')
}

function explain(name: string): string {
  const plain = name.replace(/_FILE$/, '')
  if (plain !== name && PLAIN_NAMES.includes(plain)) {
    return `is unknown: only secrets can come from a file; the nearest known one is ${plain}`
  }
  return `is unknown; the nearest known one is ${nearestName(name, KNOWN_NAMES)}`
}

function isSecret(name: keyof typeof VARIABLES): boolean {
  return 'secret' in VARIABLES[name] && VARIABLES[name].secret === true
}
