import type * as z from 'zod'
import { CODE } from './variables-code.ts'
import { FRONT } from './variables-front.ts'
import { LIMITS } from './variables-limits.ts'
import { OPERATION } from './variables-operation.ts'
import { PHONE } from './variables-phone.ts'
import { SIGN_IN } from './variables-sign-in.ts'

/** Every variable without its prefix, in the order in which people read of them. */
export const VARIABLES = {
  ...FRONT,
  ...LIMITS,
  ...SIGN_IN,
  ...CODE,
  ...PHONE,
  ...OPERATION,
} as const

/** A variable's name without `STEPGATE_`. */
export type VariableName = keyof typeof VARIABLES

/** What each variable was read as; undefined only where one may be left out. */
export type Values = {
  readonly [Name in VariableName]: z.output<(typeof VARIABLES)[Name]['schema']>
}

/** All names in the table's order. */
export const VARIABLE_NAMES = Object.keys(VARIABLES) as readonly VariableName[]

/** The name as operators write it. */
export function fullName(name: VariableName): `STEPGATE_${VariableName}` {
  return `STEPGATE_${name}`
}
