import { type Answer, jsonAnswer, redirectAnswer, seeOther, withCookies } from './answer.ts'
import { auditFields } from './audit-fields.ts'
import { auditStepUp } from './audit-step-up.ts'
import type { Context } from './context.ts'
import type { Exchange } from './exchange.ts'
import { accountOf } from './otp/account-of.ts'
import { problemAnswer } from './page-answer.ts'
import type { Decision } from './policy/rule.ts'
import { kindOf } from './request/kind-of-request.ts'
import { codePagePath } from './request/need.ts'
import { returnTarget } from './request/return-target.ts'
import type { Gathering } from './resume/read-content.ts'
import { wayBack } from './resume/way-back.ts'
import type { Session } from './session/session.ts'
import { goingOnPage, mayHaveFragment } from './sign-in/keep-fragment.ts'
import { sendToProvider } from './sign-in/send-to-provider.ts'

type StepUp = Extract<Decision, { kind: 'step-up' }>
type Denial = Extract<Decision, { kind: 'deny' }>['reason']

/** To the provider for a navigation, 401 for a program. Throws `ProviderUnknownError`. */
export async function demandSignIn(
  context: Context,
  exchange: Exchange,
  now: number,
): Promise<Answer> {
  if (!isNavigation(exchange)) {
    const returnTo = returnTarget(exchange.target.raw, context.config.publicUrl)
    const path = `/_stepgate/sign-in?${new URLSearchParams({ return_to: returnTo })}`
    const url = new URL(path, context.config.publicUrl).href
    return jsonAnswer(
      401,
      { error: 'sign_in_required', sign_in_url: url, request_id: exchange.requestId },
      { 'WWW-Authenticate': 'Bearer realm="stepgate"' },
    )
  }
  const back = await wayBack(context, exchange, { session: undefined }, now)
  if (back.kind === 'answer') return back.answer
  const { returnTo, setCookies } = back
  const request = { context, exchange, uiLocales: undefined, now }
  const answer = withCookies(await sendToProvider(request, { returnTo }), setCookies)
  return mayHaveFragment(exchange.incoming)
    ? goingOnPage(context, exchange, answer, returnTo)
    : answer
}

/**
 * To the code page for a navigation, 401 as in RFC 9470 §3 for a program. `gathered` is what `copyForm`
 * has of a form that the application has read already.
 */
export async function demandStepUp(
  context: Context,
  exchange: Exchange,
  session: Session | undefined,
  { acr, maxAge }: StepUp,
  now: number,
  gathered?: Gathering,
): Promise<Answer> {
  const stepUp = maxAge === undefined ? {} : { maxAge }
  auditStepUp(context, exchange, session, stepUp)
  if (isNavigation(exchange)) {
    const back = await wayBack(context, exchange, { session, stepUp, gathered }, now)
    if (back.kind === 'answer') return back.answer
    const path = codePagePath({ returnTo: back.returnTo, ...stepUp })
    return redirectAnswer(seeOther(exchange.incoming), path, back.setCookies)
  }
  const returnTo = returnTarget(exchange.target.raw, context.config.publicUrl)
  const need = { returnTo, ...stepUp }
  const seconds = maxAge === undefined ? undefined : Math.floor(maxAge / 1000)
  const challenge = [
    'Bearer realm="stepgate"',
    'error="insufficient_user_authentication"',
    'error_description="A one-time code is needed"',
    `acr_values="${acr}"`,
    ...(seconds === undefined ? [] : [`max_age=${seconds}`]),
  ]
  return jsonAnswer(
    401,
    {
      error: 'insufficient_user_authentication',
      acr_values: acr,
      ...(seconds !== undefined && { max_age: seconds }),
      step_up_url: new URL(codePagePath(need), context.config.publicUrl).href,
      request_id: exchange.requestId,
    },
    { 'WWW-Authenticate': challenge.join(', ') },
  )
}

/** 403, a page or JSON. */
export function deny(
  context: Context,
  exchange: Exchange,
  session: Session | undefined,
  reason: Denial,
): Promise<Answer> {
  context.log.audit('request.denied', { ...auditFields({ exchange, session }), reason })
  const props = { reason, ...(session !== undefined && { account: accountOf(session) }) }
  return problemAnswer(context.pages, exchange, 403, 'access_denied', 'denied', props, {
    uiLocales: session?.locale,
  })
}

/** 403 for a WebSocket that a page of another origin asks for, whoever its visitor is. */
export function refuseOrigin({ log }: Context, exchange: Exchange): Answer {
  log.audit('request.denied', { ...auditFields({ exchange }), reason: 'websocket_origin' })
  return jsonAnswer(403, { error: 'origin_not_allowed', request_id: exchange.requestId })
}

function isNavigation({ incoming }: Exchange): boolean {
  return kindOf(incoming.method ?? '', incoming.headers) === 'navigation'
}
