import { withReturnFields } from '../../pages/parts/return-fields.ts'
import type { StepUpWanted } from './transaction.ts'

/** The code page on the way to a destination. */
export function otpPath(to: { readonly returnTo: string; readonly stepUp: StepUpWanted }): string {
  const { maxAge } = to.stepUp
  return withReturnFields('/_stepgate/otp', {
    returnTo: to.returnTo,
    ...(maxAge !== undefined && { maxAge: String(maxAge / 1000) }),
  })
}
