import type { BadRequestProps } from './bad-request.ts'
import type { ChooseNumberProps } from './choose-number.ts'
import type { ConfirmSignOutProps } from './confirm-sign-out.ts'
import type { DeniedProps } from './denied.ts'
import type { GoingOnProps } from './going-on.ts'
import type { LockedProps } from './locked.ts'
import type { NoNumberProps } from './no-number.ts'
import type { NotSentProps } from './not-sent.ts'
import type { OtpProps } from './otp.ts'
import type { SendOnProps } from './send-on.ts'
import type { SignInFailedProps } from './sign-in-failed.ts'
import type { SignedOutProps } from './signed-out.ts'
import type { UnavailableProps } from './unavailable.ts'
import type { UpstreamDownProps } from './upstream-down.ts'

/** Every page by its file name, with what it shows. */
export type PageProps = {
  'bad-request': BadRequestProps
  'choose-number': ChooseNumberProps
  'confirm-sign-out': ConfirmSignOutProps
  denied: DeniedProps
  'going-on': GoingOnProps
  locked: LockedProps
  'no-number': NoNumberProps
  'not-sent': NotSentProps
  'not-found': Readonly<Record<string, never>>
  otp: OtpProps
  'send-on': SendOnProps
  'sign-in-failed': SignInFailedProps
  'signed-out': SignedOutProps
  'stepped-up': Readonly<Record<string, never>>
  unavailable: UnavailableProps
  'upstream-down': UpstreamDownProps
}

export type PageName = keyof PageProps
