import type { UndeliveredReason } from '../proxy/sms/delivery-report.ts'
import type { Channel, FailedReason, RefusedReason } from '../proxy/sms/sender.ts'
import type { Html, PageFrame } from './page.ts'
import { duration } from './parts/duration.ts'
import { notice, type Tone } from './parts/notice.ts'

/** What the code page has to say about what has just happened; durations in seconds. */
export type OtpNotice =
  /** Twilio has not answered yet. */
  | (ByChannel & { readonly kind: 'sending' })
  | { readonly kind: 'sent' }
  /** A mobile network has the message. */
  | { readonly kind: 'handed-over' }
  /** A call was answered, and has ended. */
  | (ByChannel & { readonly kind: 'delivered' })
  /** Twilio took the message or call, and it did not arrive. */
  | { readonly kind: 'undelivered'; readonly reason: UndeliveredReason }
  /** The page was loaded again, and nothing was sent. */
  | { readonly kind: 'already-sent' }
  | { readonly kind: 'resent' }
  /** The phone is about to ring. */
  | { readonly kind: 'calling' }
  /** The page was loaded again after a call. */
  | { readonly kind: 'already-called' }
  /** This number is best called, and nothing has been sent yet. */
  | { readonly kind: 'call-first' }
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
  | (Unsent & { readonly kind: 'wait'; readonly seconds: number })
  | (Unsent & { readonly kind: 'send-limited'; readonly seconds: number })
  /** Too much was sent to numbers like this one and never typed in. */
  | (Unsent & { readonly kind: 'prefix-limited'; readonly seconds: number })
  /** Nobody is sent anything for so long. */
  | (Unsent & { readonly kind: 'budget-spent'; readonly seconds: number })
  /** Nothing goes out this way for so long, because the service does not work; 0: it may again. */
  | (Unsent & { readonly kind: 'send-paused'; readonly seconds: number })
  | (Unsent & { readonly kind: 'send-failed'; readonly reason: RefusedReason | FailedReason })

/** Whether it is about a message or a call. */
type ByChannel = { readonly channel: Channel }

/** `chosen`: the last digits of the number it is about, where that is not the number on the page. */
type Unsent = ByChannel & { readonly chosen?: string }

/** What there is to say of a press that Twilio did not take. */
export type UnsentNotice = Extract<OtpNotice, { kind: 'send-paused' | 'send-failed' }>

/** What the sentences depend on besides the notice. */
export type OtpState = {
  readonly lastDigits: string
  readonly codeLength: number
  readonly canEnter: boolean
} & WaysOn

/** What a person can do instead, as far as it is on the page. */
export type WaysOn = {
  readonly canChangeNumber: boolean
  readonly ways: readonly Channel[]
}

/** Of the notice that belongs to the field, so that the field can point at it. */
export const NOTICE_ID = 'notice'

/** Whether the notice is about what was typed. */
export function isAboutInput(notice: OtpNotice): boolean {
  return notice.kind === 'wrong' || notice.kind === 'not-a-code'
}

/** Whether the notice is about the way of the message or call. */
export function isAboutDelivery({ kind }: OtpNotice): boolean {
  switch (kind) {
    case 'sending':
    case 'sent':
    case 'already-sent':
    case 'resent':
    case 'calling':
    case 'already-called':
    case 'handed-over':
    case 'delivered':
    case 'undelivered':
      return true
    default:
      return false
  }
}

/** The notice as a message on the page; without `id` where the place around it is read out. */
export function otpNotice(
  frame: PageFrame,
  said: OtpNotice,
  state: OtpState,
  id: string | undefined,
): Html {
  return notice(toneOf(said), id, linesOf(frame, said, state))
}

/** The sentences of what is known of a message's way. */
export function deliveryLines(
  frame: PageFrame,
  said: Extract<OtpNotice, { kind: 'handed-over' | 'delivered' | 'undelivered' }>,
  ways: WaysOn,
): readonly string[] {
  if (said.kind === 'handed-over') return [frame.t('otp.notice.handed-over')]
  if (said.kind === 'delivered') return [frame.t(keyBy(said, 'delivered'))]
  return [
    frame.t(`otp.notice.undelivered.${said.reason}`),
    ...wayOnAfter(said.reason, ways).map((way) => frame.t(`otp.notice.undelivered-way.${way}`)),
  ]
}

type WayOn =
  | 'again'
  | 'again-or-call'
  | 'call'
  | 'other-number'
  | 'call-or-other-number'
  | 'text'
  | 'support'

// Who opted out or did not answer, and who can only tell support, is told what to do already.
function wayOnAfter(
  reason: UndeliveredReason,
  { ways, canChangeNumber }: WaysOn,
): readonly WayOn[] {
  const canCall = ways.includes('call')
  switch (reason) {
    case 'unreachable':
    case 'lost':
      return [canCall ? 'again-or-call' : 'again']
    case 'blocked':
    case 'landline':
      if (canCall) return [canChangeNumber ? 'call-or-other-number' : 'call']
      return [canChangeNumber ? 'other-number' : 'support']
    case 'not_in_service':
      return [canChangeNumber ? 'other-number' : 'support']
    case 'filtered':
      if (canCall) return ['call']
      return canChangeNumber ? ['other-number'] : []
    case 'not_connected':
      if (ways.includes('sms')) return ['text']
      return [canChangeNumber ? 'other-number' : 'support']
    case 'not_answered':
    case 'fault':
    case 'opted_out':
      return []
  }
}

function toneOf(said: OtpNotice): Tone {
  switch (said.kind) {
    case 'sent':
    case 'resent':
    case 'calling':
    case 'handed-over':
    case 'delivered':
      return 'good'
    case 'sending':
    case 'already-sent':
    case 'already-called':
    case 'call-first':
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
    case 'send-paused':
    case 'send-failed':
    case 'undelivered':
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
    case 'sending':
      return [t(keyBy(said, said.kind), { digits: state.lastDigits })]
    case 'wait':
    case 'send-limited': {
      const time = duration(frame, said.seconds)
      return [...aboutChosen(frame, said), t(keyBy(said, said.kind), { time })]
    }
    case 'prefix-limited':
    case 'budget-spent': {
      const time = duration(frame, said.seconds)
      return [
        ...aboutChosen(frame, said),
        t(keyBy(said, said.kind), { time }),
        t('otp.notice.not-wait'),
      ]
    }
    case 'handed-over':
    case 'delivered':
    case 'undelivered':
      return deliveryLines(frame, said, state)
    case 'send-paused':
      return [
        ...aboutChosen(frame, said),
        t(pausedKey(said, state)),
        ...codeBefore(frame, said, state),
        said.seconds > 0
          ? t('otp.notice.send-paused-time', { time: duration(frame, said.seconds) })
          : t('otp.notice.send-paused-over'),
        ...(said.channel === 'sms' && state.ways.includes('call')
          ? [t('otp.notice.refused.call')]
          : []),
      ]
    case 'send-failed':
      return [
        ...aboutChosen(frame, said),
        ...(isRefused(said.reason)
          ? [t(keyBy(said, `refused.${said.reason}`)), ...wayOnFrom(frame, said, state)]
          : [t(keyBy(said, `failed.${said.reason}`))]),
        ...codeBefore(frame, said, state),
      ]
    case 'sent':
    case 'already-sent':
    case 'resent':
    case 'calling':
    case 'already-called':
    case 'call-first':
    case 'expired':
    case 'used-up':
    case 'none':
      return [t(`otp.notice.${said.kind}`)]
  }
}

function keyBy({ channel }: ByChannel, name: string): string {
  return channel === 'call' ? `otp.notice.call.${name}` : `otp.notice.${name}`
}

function aboutChosen({ t }: PageFrame, { chosen }: Unsent): readonly string[] {
  return chosen === undefined ? [] : [t('otp.notice.chosen-number', { digits: chosen })]
}

function pausedKey(said: Unsent, { canEnter }: OtpState): string {
  const isAgain = canEnter && said.chosen === undefined && said.channel === 'sms'
  return isAgain ? 'otp.notice.send-paused-again' : keyBy(said, 'send-paused')
}

// Of a message that may have gone out there is but one code to speak of.
function codeBefore(
  { t }: PageFrame,
  said: UnsentNotice,
  { canEnter }: OtpState,
): readonly string[] {
  if (!canEnter || (said.kind === 'send-failed' && said.reason === 'unavailable')) return []
  return [t('otp.notice.code-before')]
}

// Who opted out or did not answer is told what to do already.
function wayOnFrom(
  { t }: PageFrame,
  { channel, reason }: ByChannel & { readonly reason: RefusedReason | FailedReason },
  state: OtpState,
): readonly string[] {
  if (reason === 'opted_out' || reason === 'not_answered') return []
  if (channel === 'sms' && state.ways.includes('call')) return [t('otp.notice.refused.call')]
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
  not_answered: true,
}

function isRefused(reason: RefusedReason | FailedReason): reason is RefusedReason {
  return Object.hasOwn(REFUSED, reason)
}
