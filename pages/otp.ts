import { html } from 'hono/html'
import type { Channel } from '../proxy/sms/sender.ts'
import { layout } from './layout.ts'
import {
  isAboutDelivery,
  isAboutInput,
  NOTICE_ID,
  type OtpNotice,
  otpNotice,
} from './otp-notice.ts'
import type { Html, PageFrame } from './page.ts'
import { type Account, account } from './parts/account.ts'
import { type DeliveryKind, deliveryRegion, isOnItsWay } from './parts/delivery-region.ts'
import { remaining } from './parts/duration.ts'
import { type ReturnFields, returnFields, withReturnFields } from './parts/return-fields.ts'

/** What the code page shows; durations in seconds. */
export type OtpProps = {
  /** Of the number that the code goes to: all that is ever shown of it. */
  readonly lastDigits: string
  readonly codeLength: number
  /** Whether there is a live code that may be typed in. */
  readonly canEnter: boolean
  /** Until the code expires; counts only when it can be entered. */
  readonly expiresIn: number
  /** Until another message or call may be asked for; 0: now. */
  readonly resendIn: number
  readonly canChangeNumber: boolean
  /** What the code went out by. */
  readonly channel: Channel
  /** How a code may go out from here, the best way first. */
  readonly ways: readonly Channel[]
  /** Those of them by which nothing goes out for now. */
  readonly held?: readonly Channel[]
  readonly notice: OtpNotice
  /** How the last message fares; absent when nobody says. */
  readonly delivery?: DeliveryKind
  readonly return: ReturnFields
  readonly account: Account
}

// What support may be asked about.
const HAS_REFERENCE: ReadonlySet<OtpNotice['kind']> = new Set([
  'send-failed',
  'send-paused',
  'undelivered',
])

/** Asks for the code. */
export function render(frame: PageFrame, props: OtpProps): Html {
  const { t } = frame
  const { canEnter, codeLength: length, lastDigits: digits, notice } = props
  return layout(frame, {
    title: t(canEnter ? 'otp.title' : 'otp.title-no-code'),
    icon: 'phone',
    error: isAboutInput(notice),
    script: ['otp.js', 'carry-fragment.js', ...(isOnItsWay(props.delivery) ? ['delivery.js'] : [])],
    reference: HAS_REFERENCE.has(notice.kind),
    body: [
      html`<p class="lead">${t(leadOf(props), { length, digits })}</p>`,
      ...said(frame, props),
      canEnter ? codeForm(frame, props) : undefined,
      ...props.ways.map((way) => sendForm(frame, props, way)),
      props.canChangeNumber ? changeNumber(frame, props) : undefined,
      account(frame, props.account),
    ],
  })
}

function leadOf({ canEnter, channel, ways }: OtpProps): string {
  if (canEnter) return channel === 'call' ? 'otp.lead-call' : 'otp.lead'
  return ways[0] === 'call' ? 'otp.lead-no-code-call' : 'otp.lead-no-code'
}

/** What the notice says; where a message is followed, its delivery has a place of its own. */
function said(frame: PageFrame, props: OtpProps): readonly (Html | undefined)[] {
  const { notice, delivery } = props
  const isDelivery = delivery !== undefined && isAboutDelivery(notice)
  const ways = props.ways.filter((way) => !props.held?.includes(way))
  const state = { ...props, ways }
  const markup = otpNotice(frame, notice, state, isDelivery ? undefined : NOTICE_ID)
  if (delivery === undefined) return [markup]
  return isDelivery
    ? [deliveryRegion(delivery, markup, props.return)]
    : [markup, deliveryRegion(delivery, undefined, props.return)]
}

function codeForm(frame: PageFrame, props: OtpProps): Html {
  const { t } = frame
  const { codeLength, expiresIn, notice } = props
  const wrong = isAboutInput(notice)
  // Wide enough for a pasted code with spaces; the server reads the digits.
  return html`<form method="post" action="/_stepgate/otp" data-once data-code-length="${codeLength}">
${returnFields(props.return)}
<label for="code">${t('otp.label', { length: codeLength })}</label>
<input class="code" id="code" name="code" type="text" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9 \\-]*" maxlength="40" title="${t('otp.pattern')}" dir="ltr" autocapitalize="off" spellcheck="false" enterkeyhint="go" required autofocus${wrong ? html` aria-invalid="true" aria-describedby="${NOTICE_ID}"` : undefined}>
<button class="button" type="submit">${t('otp.submit')}</button>
<p class="hint" role="timer" data-countdown="${expiresIn}" data-running="${t('otp.valid-for', { time: '{time}' })}" data-done="${t('otp.ran-out')}" data-announce>${t('otp.valid-for', { time: remaining(frame, expiresIn) })}</p>
<p class="unseen" role="status" data-announcer></p>
</form>`
}

const PATHS = { sms: '/_stepgate/otp/resend', call: '/_stepgate/otp/call' } as const

function sendForm(frame: PageFrame, props: OtpProps, way: Channel): Html {
  const key = way === 'call' ? callKey(props) : textKey(props)
  const quiet = props.canEnter || way !== props.ways[0]
  const label = frame.t(key)
  const running = frame.t(`${key}-in`, { time: '{time}' })
  const resendIn = Math.max(props.resendIn, pausedFor(props.notice, way))
  const countdown = html` data-countdown="${resendIn}" data-running="${running}" data-done="${label}"`
  // Once the code on the page has run out, the same button sends a new one.
  const again = key === 'otp.resend'
  const ranOut = html` data-ran-out="${frame.t('otp.send-new')}"`
  // Without JavaScript the button always works: the server says how long to wait.
  return html`<form method="post" action="${PATHS[way]}" data-once>
${returnFields(props.return)}
<button class="button${quiet ? ' button-quiet' : ''}" type="submit"${resendIn > 0 ? countdown : undefined}${again ? ranOut : undefined}>${label}</button>
</form>`
}

function pausedFor(notice: OtpNotice, way: Channel): number {
  return notice.kind === 'send-paused' && notice.channel === way ? notice.seconds : 0
}

function textKey({ canEnter, channel, ways }: OtpProps): string {
  if (ways[0] === 'call' || (canEnter && channel === 'call')) return 'otp.text-instead'
  return canEnter ? 'otp.resend' : 'otp.send-new'
}

function callKey({ canEnter, channel, ways }: OtpProps): string {
  if (canEnter && channel === 'call') return 'otp.call-again'
  return !canEnter && ways[0] === 'call' ? 'otp.call' : 'otp.call-instead'
}

function changeNumber(frame: PageFrame, props: OtpProps): Html {
  const path = withReturnFields('/_stepgate/otp/number', props.return)
  return html`<p class="other"><a href="${path}">${frame.t('otp.change-number')}</a></p>`
}
