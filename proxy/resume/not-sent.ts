import type { NotSentProps } from '../../pages/not-sent.ts'
import type { Answer } from '../answer.ts'
import { formatSize } from '../config/size.ts'
import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import { problemAnswer } from '../page-answer.ts'
import type { Demand } from '../policy/rule.ts'
import { codePagePath, signInPath } from '../request/need.ts'
import { returnTarget } from '../request/return-target.ts'
import type { Session } from '../session/session.ts'
import { formPage } from './form-headers.ts'
import { mostKept, type NotKept } from './keep-form.ts'

const STATUS = {
  size: 413,
  'cross-site': 403,
  full: 429,
  unavailable: 503,
  'body-idle': 408,
  address: 400,
  anonymous: 403,
  unsure: 409,
  elsewhere: 502,
  sent: 409,
  gone: 410,
  other: 403,
} as const

/** Says plainly that something was not sent, or not again. */
export function notSentAnswer(
  { pages }: Context,
  exchange: Exchange,
  session: Session | undefined,
  props: NotSentProps,
): Promise<Answer> {
  const { reason } = props
  const status = STATUS[reason]
  const headers = reason === 'unavailable' ? { 'Retry-After': '5' } : {}
  const error = `form_${reason.replace('-', '_')}`
  const options = { uiLocales: session?.locale, headers }
  return problemAnswer(pages, exchange, status, error, 'not-sent', props, options)
}

/** The same for a form that runs into sign-in, or into a code, and is not kept, or may have arrived. */
export function notKeptAnswer(
  context: Context,
  exchange: Exchange,
  session: Session | undefined,
  reason: NotKept | 'unsure',
  { kind, maxAge }: Demand,
): Promise<Answer> {
  const { publicUrl } = context.config
  const form = formPage(exchange.incoming.headers, publicUrl)
  const returnTo = returnTarget(form ?? '/', publicUrl)
  const throughUrl =
    kind === 'sign-in'
      ? signInPath({ returnTo, ...(maxAge !== undefined && { signedInWithin: maxAge }) })
      : codePagePath({ returnTo, ...(maxAge !== undefined && { maxAge }) })
  return notSentAnswer(context, exchange, session, {
    reason,
    through: { url: throughUrl, by: kind === 'sign-in' ? 'sign-in' : 'code' },
    ...(form !== undefined && { backUrl: returnTo }),
    ...(reason === 'size' && { limit: formatSize(mostKept(context)) }),
  })
}
