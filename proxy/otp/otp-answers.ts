import type { OtpNotice } from '../../pages/otp-notice.ts'
import { withReturnFields } from '../../pages/parts/return-fields.ts'
import { type Answer, redirectAnswer } from '../answer.ts'
import { auditFields } from '../audit-fields.ts'
import { pageAnswer } from '../page-answer.ts'
import type { PhoneLookup } from '../phone/phone-directory.ts'
import { channelsTo } from '../sms/channels.ts'
import type { Channel } from '../sms/sender.ts'
import { accountOf } from './account-of.ts'
import { type Challenge, lastDigits, lastMessage } from './challenge.ts'
import type { StoredChallenge } from './challenge-record.ts'
import { type ChallengeState, challengeState, unsentNotice } from './challenge-state.ts'
import { deliveryKind } from './delivery-news.ts'
import { reportOf } from './delivery-record.ts'
import { isHeld } from './is-held.ts'
import type { ChosenNumber } from './issue-challenge.ts'
import type { NumberChoice } from './pick-number.ts'
import { resendAt, type SendRefused } from './send-code.ts'
import { isUsedUp, type Locked } from './verify-code.ts'
import { returnFieldsOf, type Visit } from './visit.ts'

/**
 * What the code page shows: the number, until when its code lives, what there is to say, and what
 * message it is to follow.
 */
export type Shown = ChosenNumber &
  ChallengeState & {
    readonly expiresAt: number
    /** What the code went out by. */
    readonly channel?: Channel
    readonly delivery?: Challenge['delivery']
    readonly message?: Challenge['message']
  }

/** The code page. */
export async function codePage(visit: Visit, status: number, shown: Shown): Promise<Answer> {
  const { context, session, now } = visit
  const { phone, choices, canEnter, expiresAt, notice, channel = 'sms', delivery, message } = shown
  const { subject, family } = session
  const until = await resendAt(context, { subject, family, phone }, now)
  const sends = delivery && { delivery, ...(message !== undefined && { message }) }
  const report = sends && (await reportOf(context.store, lastMessage(sends), now))
  const follows = canEnter && context.isSignedByTwilio !== undefined
  const kind = follows && sends ? deliveryKind(sends, report) : undefined
  const channels = channelsTo(phone, context.config)
  const held = channels.filter((way) => isHeld(context, way, phone))
  return answerPage(visit, status, 'otp', {
    lastDigits: lastDigits(phone),
    codeLength: context.config.otp.length,
    canEnter,
    expiresIn: secondsUntil(expiresAt, now),
    // What failed to arrive need not be waited for.
    resendIn: report?.state === 'failed' ? 0 : secondsUntil(until, now),
    canChangeNumber: choices > 1,
    channel,
    ways: waysOn(channels, notice, held),
    ...(held.length > 0 && { held }),
    notice,
    ...(kind !== undefined && { delivery: kind }),
    return: returnFieldsOf(visit),
    account: accountOf(visit.session),
  })
}

/** A number that can't get texts, now or ever, is best called, whatever its kind. */
function waysOn(
  channels: readonly Channel[],
  notice: OtpNotice,
  held: readonly Channel[],
): readonly Channel[] {
  if (channels.length === 0) return ['sms']
  if (!needsCall(notice) || held.includes('call')) return channels
  return channels.toSorted((one) => (one === 'call' ? -1 : 1))
}

function needsCall(notice: OtpNotice): boolean {
  switch (notice.kind) {
    case 'send-paused':
      return notice.channel === 'sms' && notice.seconds > 0
    case 'send-failed':
      return notice.channel === 'sms' && NO_TEXTS.has(notice.reason)
    case 'undelivered':
      return NO_TEXTS.has(notice.reason)
    default:
      return false
  }
}

const NO_TEXTS: ReadonlySet<string> = new Set([
  'not_mobile',
  'not_routable',
  'blocked',
  'landline',
  'filtered',
])

/** Several numbers: which one? */
export function choicePage(
  visit: Visit,
  choices: readonly NumberChoice[],
  nothingChosen: boolean,
): Promise<Answer> {
  return answerPage(visit, nothingChosen ? 422 : 200, 'choose-number', {
    choices,
    nothingChosen,
    return: returnFieldsOf(visit),
    account: accountOf(visit.session),
  })
}

/** The directory holds no number of this person. */
export function noNumberPage(visit: Visit): Promise<Answer> {
  visit.context.log.audit('otp.send_failed', { ...auditFields(visit), reason: 'no_number' })
  return answerPage(visit, 403, 'no-number', {
    retryUrl: codePath(visit),
    account: accountOf(visit.session),
  })
}

/** Nobody can say whether this person has a number: never to be told as "no number". */
export function directoryPage(
  visit: Visit,
  { reason, detail }: Extract<PhoneLookup, { kind: 'unavailable' }>,
): Promise<Answer> {
  visit.context.log.audit('otp.send_failed', {
    ...auditFields(visit),
    reason: `directory_${reason}`,
    detail,
  })
  return answerPage(visit, 503, 'unavailable', {
    reason: 'directory',
    retryUrl: codePath(visit),
  })
}

/** Too many wrong codes: nothing is sent or compared for a while. */
export function lockedPage(visit: Visit, { locked, until }: Locked): Promise<Answer> {
  const kind = locked ? 'locked' : 'wait'
  const seconds = secondsUntil(until, visit.now)
  return answerPage(
    visit,
    429,
    'locked',
    { kind, seconds, retryUrl: codePath(visit), account: accountOf(visit.session) },
    { 'Retry-After': String(seconds) },
  )
}

/**
 * A send that was refused before it was tried. The page is that of the code in the store, which is
 * what its buttons act on, although another number may have been chosen; while it lives it can still
 * be typed in.
 */
export async function refusedPage(
  visit: Visit,
  number: ChosenNumber,
  present: StoredChallenge | undefined,
  refused: SendRefused,
  channel: Channel,
): Promise<Answer> {
  const { context, now } = visit
  const said = { ...refusalNotice(refused, now), channel }
  if (refused.kind === 'limited') {
    const { seconds } = said
    const { by: limit } = refused
    const fields = { ...auditFields(visit), channel, limit, reason: `limit_${limit}`, seconds }
    context.log.audit('otp.send_failed', fields)
  }
  if (present === undefined) {
    return codePage(visit, 429, { ...number, canEnter: false, expiresAt: 0, notice: said })
  }
  const { challenge } = present
  const { canEnter } = challengeState(present, await isUsedUp(context, challenge.id, now), now)
  const isOther = challenge.phone !== number.phone
  const notice = isOther ? { ...said, chosen: lastDigits(number.phone) } : said
  return codePage(visit, 429, { ...challenge, choices: number.choices, canEnter, notice })
}

/** Another number was chosen and nothing went to it: the code that went to the one before still counts. */
export function keptPage(
  visit: Visit,
  { challenge }: StoredChallenge,
  unsent: Challenge,
): Promise<Answer> {
  const said = unsentNotice(unsent.delivery, visit.now)
  const notice: OtpNotice =
    said === undefined ? { kind: 'none' } : { ...said, chosen: lastDigits(unsent.phone) }
  return codePage(visit, 200, { ...challenge, canEnter: true, notice })
}

function refusalNotice(refused: SendRefused, now: number) {
  if (refused.kind === 'wait') {
    return { kind: 'wait', seconds: secondsUntil(refused.until, now) } as const
  }
  const seconds = secondsUntil(refused.retryAt, now)
  switch (refused.by) {
    case 'person':
    case 'number':
    case 'address':
      return { kind: 'send-limited', seconds } as const
    case 'prefix':
    case 'unknown':
      return { kind: 'prefix-limited', seconds } as const
    case 'budget':
      return { kind: 'budget-spent', seconds } as const
  }
}

/** After a form, the code page at its own address: loading it again sends nothing. */
export function backToCodePage(visit: Visit): Answer {
  return redirectAnswer(303, codePath(visit))
}

/** To where the person wanted to go. */
export function goOn(visit: Visit, setCookies: readonly string[] = []): Answer {
  return redirectAnswer(303, visit.need.returnTo, setCookies)
}

/** The code page's own address, with what it has to remember. */
export function codePath(visit: Visit, path = '/_stepgate/otp'): string {
  return withReturnFields(path, returnFieldsOf(visit))
}

function answerPage<Name extends Parameters<typeof pageAnswer>[3]>(
  visit: Visit,
  status: number,
  name: Name,
  props: Parameters<typeof pageAnswer<Name>>[4],
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const { context, exchange, uiLocales } = visit
  // The application may redirect to another host after the code, and Chromium holds the whole chain
  // after a form to form-action.
  const formActionOrigins =
    context.config.publicUrl.protocol === 'https:' ? ['https:'] : ['http:', 'https:']
  return pageAnswer(context.pages, exchange, status, name, props, {
    uiLocales,
    headers,
    formActionOrigins,
  })
}

function secondsUntil(time: number, now: number): number {
  return Math.max(0, Math.ceil((time - now) / 1000))
}
