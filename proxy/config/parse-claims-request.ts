import type { ClaimsRequest } from './config.ts'
import { ok, type Parsed, wrong } from './parsed.ts'

/** The places that claims are asked for in; `access_token` is what some providers add. */
const PLACES: readonly string[] = ['id_token', 'userinfo', 'access_token']

const MAX_LENGTH = 4000

/** Reads the `claims` parameter as it will be sent (OpenID Connect Core §5.5). */
export function parseClaimsRequest(text: string): Parsed<ClaimsRequest> {
  if (text.length > MAX_LENGTH) return wrong(`it has more than ${MAX_LENGTH} characters`)
  const request = parseObject(text)
  if (request === undefined) return wrong('it must be a JSON object, as OpenID Connect Core §5.5')
  const problems = Object.entries(request).flatMap(([place, claims]) => {
    if (!PLACES.includes(place)) {
      return [`${JSON.stringify(place)} is no place for claims; write ${PLACES.join(', ')}`]
    }
    if (!isObject(claims)) return [`${place} must be an object with a member for each claim`]
    return Object.entries(claims).flatMap(([name, wanted]) => {
      const problem = problemOf(wanted)
      return problem === undefined ? [] : [`${place}.${name} ${problem}`]
    })
  })
  // The loop has seen that it is of this shape.
  return problems.length > 0 ? wrong(...problems) : ok(request as ClaimsRequest)
}

function problemOf(wanted: unknown): string | undefined {
  if (wanted === null) return undefined
  if (!isObject(wanted)) return 'must be null or an object, such as {"essential":true}'
  const { essential, values } = wanted
  if (essential !== undefined && typeof essential !== 'boolean') {
    return 'has an "essential" that is neither true nor false'
  }
  if (values !== undefined && (!Array.isArray(values) || values.length === 0)) {
    return 'has "values" that are no list with one or more'
  }
  return values !== undefined && wanted.value !== undefined
    ? 'has both "value" and "values"; keep one of the two'
    : undefined
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
