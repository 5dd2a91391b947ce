import fc from 'fast-check'

/**
 * What some part of a request says of the whole: `plain` has one reading and passes, `odd` may be
 * refused or passed on as it stands, `refused` must never reach the application.
 */
export type Kind = 'plain' | 'odd' | 'refused'

/** One part of a request with its kind. */
export type Part<Value> = { readonly kind: Kind; readonly value: Value }

/** Stands in all bytes of a case for its number, which has as many digits. */
export const NUMBER = '@CASE@@'

/** The host that every honest request names. */
export const HOST = 'app.example.com'

/** A request within a body. Nobody is signed in with it, so that the gate lets it pass nowhere. */
export const SMUGGLED = [
  `GET /smuggled/${NUMBER} HTTP/1.1`,
  `Host: ${HOST}`,
  `X-Case: smuggled-${NUMBER}`,
  'X-Forwarded-User: admin',
  '',
  '',
].join('\r\n')

/** Any of the values, all of one kind. */
export function parts<Value>(kind: Kind, ...values: readonly Value[]): fc.Arbitrary<Part<Value>> {
  return fc.constantFrom(...values.map((value) => ({ kind, value })))
}

/** Mostly the first: a request with three things wrong shows less than one with a single one. */
export function mostly<Value>(
  usual: fc.Arbitrary<Value>,
  weight: number,
  ...others: readonly fc.Arbitrary<Value>[]
): fc.Arbitrary<Value> {
  const rest = others.map((arbitrary) => ({ arbitrary, weight: 1 }))
  return fc.oneof({ arbitrary: usual, weight }, ...rest)
}
