import type { FailedReason, RefusedReason } from '../proxy/sms/sender.ts'
import type { Html, PageFrame } from './page.ts'
import { duration } from './parts/duration.ts'
import { notice, type Tone } from './parts/notice.ts'

/** What the code page has to say about what has just happened; durations in seconds. */
export type OtpNotice =
  | { readonly kind: 'sent' }
  /** The page was loaded again, and nothing was sent. */
  | { readonly kind: 'already-sent' }
  | { readonly kind: 'resent' }
  /** 0 attempts left: this code is used up. */
  | { readonly kind: 'wrong'; readonly attemptsLeft: number }
  | { readonly kind: 'expired' }
  | { readonly kind: 'used-up' }
  /** There is a newer code than the one that was checked. */
  | { readonly kind: 'superseded' }
  /** Nothing was sent in this session, or it has long been used. */
  | { readonly kind: 'none' }
  /** Empty or malformed; no attempt was counted. */
  | { readonly kind: 'not-a-code' }
  | { readonly kind: 'wait'; readonly seconds: number }
  | { readonly kind: 'send-limited'; readonly seconds: number }
  /** Too much was sent to numbers like this one and never typed in. */
  | { readonly kind: 'prefix-limited'; readonly seconds: number }
  /** Nobody is sent anything for so long. */
  | { readonly kind: 'budget-spent'; readonly seconds: number }
  | { readonly kind: 'send-failed'; readonly reason: RefusedReason | FailedReason }

/** What the sentences depend on besides the notice. */
export type OtpState = {
  readonly codeLength: number
  readonly canEnter: boolean
  readonly canChangeNumber: boolean
}

/** Of the notice that belongs to the field, so that the field can point at it. */
export const NOTICE_ID = 'notice'

/** Whether the notice is about what was typed. */
export function isAboutInput(notice: OtpNotice): boolean {
  return notice.kind === 'wrong' || notice.kind === 'not-a-code'
}

/** The notice as a message on the page. */
export function otpNotice(frame: PageFrame, said: OtpNotice, state: OtpState): Html {
  return notice(toneOf(said), NOTICE_ID, linesOf(frame, said, state))
}

function toneOf(said: OtpNotice): Tone {
  switch (said.kind) {
    case 'sent':
    case 'resent':
      return 'good'
    case 'already-sent':
    case 'none':
      return 'info'
    case 'expired':
    case 'superseded':
    case 'wait':
    case 'send-limited':
    case 'prefix-limited':
    case 'budget-spent':
      return 'warning'
    case 'wrong':
    case 'used-up':
    case 'not-a-code':
    case 'send-failed':
      return 'error'
  }
}

function linesOf(frame: PageFrame, said: OtpNotice, state: OtpState): readonly string[] {
  const { t } = frame
  switch (said.kind) {
    case 'wrong':
      return said.attemptsLeft < 1
        ? [t('otp.notice.wrong-last')]
        : [t('otp.notice.wrong', { count: said.attemptsLeft })]
    case 'superseded':
      return [t(state.canEnter ? 'otp.notice.superseded' : 'otp.notice.superseded-elsewhere')]
    case 'not-a-code':
      return [t('otp.notice.not-a-code', { length: state.codeLength })]
    case 'wait':
    case 'send-limited':
      return [t(`otp.notice.${said.kind}`, { time: duration(frame, said.seconds) })]
    case 'prefix-limited':
    case 'budget-spent': {
      const { kind, seconds } = said
      return [t(`otp.notice.${kind}`, { time: duration(frame, seconds) }), t('otp.notice.not-wait')]
    }
    case 'send-failed':
      return isRefused(said.reason)
        ? [t(`otp.notice.refused.${said.reason}`), ...wayOnFrom(frame, said.reason, state)]
        : [t(`otp.notice.failed.${said.reason}`)]
    case 'sent':
    case 'already-sent':
    case 'resent':
    case 'expired':
    case 'used-up':
    case 'none':
      return [t(`otp.notice.${said.kind}`)]
  }
}

// Who opted out is told what to do already.
function wayOnFrom({ t }: PageFrame, reason: RefusedReason, state: OtpState): readonly string[] {
  if (reason === 'opted_out') return []
  const wayOn = state.canChangeNumber ? 'other-number' : 'support'
  return [t(`otp.notice.refused.${wayOn}`)]
}

const REFUSED: Readonly<Record<RefusedReason, true>> = {
  not_a_number: true,
  not_mobile: true,
  country_not_enabled: true,
  number_type: true,
  opted_out: true,
  not_routable: true,
  blocked: true,
}

function isRefused(reason: RefusedReason | FailedReason): reason is RefusedReason {
  return Object.hasOwn(REFUSED, reason)
}
