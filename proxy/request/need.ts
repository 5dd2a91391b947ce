import { type ReturnFields, withReturnFields } from '../../pages/parts/return-fields.ts'
import { returnTarget } from './return-target.ts'

/** Where a person goes after the code page, and how fresh (ms) the code has to be for it. */
export type Need = { readonly returnTo: string; readonly maxAge?: number }

/** Reads `return_to` and `max_age` of a query or form; what is malformed asks for no more than a code. */
export function needOf(fields: URLSearchParams, publicUrl: URL): Need {
  const returnTo = returnTarget(fields.get('return_to') ?? undefined, publicUrl)
  const seconds = fields.get('max_age')
  return seconds !== null && /^[0-9]{1,9}$/.test(seconds)
    ? { returnTo, maxAge: Number(seconds) * 1000 }
    : { returnTo }
}

/** The need as fields of our forms and links. */
export function needFields({ returnTo, maxAge }: Need): ReturnFields {
  return { returnTo, ...(maxAge !== undefined && { maxAge: String(Math.floor(maxAge / 1000)) }) }
}

/** The address that signs in anew, or only somebody whose sign-in is older than `signedInWithin` (ms). */
export function signInPath({
  returnTo,
  signedInWithin,
}: {
  readonly returnTo: string
  readonly signedInWithin?: number
}): string {
  if (signedInWithin === undefined) return withReturnFields('/_stepgate/sign-in', { returnTo })
  const maxAge = String(Math.floor(signedInWithin / 1000))
  const query = new URLSearchParams({ return_to: returnTo, max_age: maxAge, acr: 'basic' })
  return `/_stepgate/step-up?${query}`
}

/** The code page's address on the way to what is needed. */
export function codePagePath(need: Need, uiLocales?: string): string {
  const languages = uiLocales === undefined ? {} : { uiLocales }
  return withReturnFields('/_stepgate/otp', { ...needFields(need), ...languages })
}
