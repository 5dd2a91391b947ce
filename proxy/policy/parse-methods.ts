import { METHODS } from 'node:http'
import { nearestName } from '../config/nearest-name.ts'

/** The front door refuses these before any rule is asked. */
const REFUSED = ['CONNECT', 'TRACE']

/** Reads `POST,PUT`; adds what is wrong to the problems. A method that never arrives is an error. */
export function parseMethods(word: string, problems: string[]): ReadonlySet<string> {
  const names = word.split(',')
  for (const name of names) {
    if (METHODS.includes(name) && !REFUSED.includes(name)) continue
    problems.push(problemOf(name))
  }
  return new Set(names)
}

function problemOf(name: string): string {
  if (name === '') return 'methods are separated by single commas without spaces, as POST,PUT'
  if (REFUSED.includes(name)) return `can never match: ${name} is always refused`
  const upper = name.toUpperCase()
  if (METHODS.includes(upper)) return `${name} is no path; the method is written ${upper}`
  return name === upper
    ? `${name} is no HTTP method; the nearest is ${nearestName(name, METHODS)}`
    : `${name} is no path: a path begins with / or with host/`
}
