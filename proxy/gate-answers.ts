import { type Answer, jsonAnswer, redirectAnswer, seeOther, withCookies } from './answer.ts'
import { errorAnswer } from './answer-error.ts'
import { auditFields } from './audit-fields.ts'
import { auditStepUp } from './audit-step-up.ts'
import type { Context } from './context.ts'
import type { Exchange } from './exchange.ts'
import { accountOf } from './otp/account-of.ts'
import { problemAnswer } from './page-answer.ts'
import type { Acr } from './policy/acr.ts'
import type { Decision, Demand } from './policy/rule.ts'
import { kindOf } from './request/kind-of-request.ts'
import { codePagePath, signInPath } from './request/need.ts'
import { returnTarget } from './request/return-target.ts'
import type { Gathering } from './resume/read-content.ts'
import { wayBack } from './resume/way-back.ts'
import type { Session } from './session/session.ts'
import { goingOnPage, mayHaveFragment } from './sign-in/keep-fragment.ts'
import { sendToProvider } from './sign-in/send-to-provider.ts'

type SignIn = Extract<Demand, { kind: 'sign-in' }>
type StepUp = Extract<Demand, { kind: 'step-up' }>
type Denial = Extract<Decision, { kind: 'deny' }>['reason']

/**
 * Asks for what is missing; `now` in epoch ms. `gathered` is what there is of a form that the application
 * has read already.
 */
export function answerDemand(
  context: Context,
  exchange: Exchange,
  session: Session | undefined,
  demand: Demand,
  now: number,
  gathered?: Gathering,
): Promise<Answer> {
  return demand.kind === 'sign-in'
    ? demandSignIn(context, exchange, session, demand, now, gathered)
    : demandStepUp(context, exchange, session, demand, now, gathered)
}

/** To the provider for a navigation, 401 for a program. */
async function demandSignIn(
  context: Context,
  exchange: Exchange,
  session: Session | undefined,
  demand: SignIn,
  now: number,
  gathered: Gathering | undefined,
): Promise<Answer> {
  const { maxAge } = demand
  const fresh = maxAge === undefined ? {} : { signedInWithin: maxAge }
  if (isNavigation(exchange)) {
    const back = await wayBack(context, exchange, { session, demand, gathered }, now)
    if (back.kind === 'answer') return back.answer
    const { returnTo, setCookies } = back
    if (mayHaveFragment(exchange)) return goingOnPage(context, exchange, { returnTo, ...fresh })
    const destination = { returnTo, ...fresh }
    const sent = { context, exchange, session, uiLocales: undefined, now }
    // A form that was kept can't be sent anew: there has to be a way back to it all the same.
    const retryUrl = exchange.incoming.method === 'POST' ? signInPath(destination) : undefined
    const answer = await sendToProvider(sent, destination).catch((error) =>
      errorAnswer(context, exchange, error, retryUrl),
    )
    return withCookies(answer, setCookies)
  }
  const returnTo = returnTarget(exchange.target.raw, context.config.publicUrl)
  const url = new URL(signInPath({ returnTo, ...fresh }), context.config.publicUrl).href
  if (session !== undefined) {
    return insufficient(exchange, 'basic', maxAge, 'A more recent sign-in is needed', url)
  }
  return jsonAnswer(
    401,
    { error: 'sign_in_required', sign_in_url: url, request_id: exchange.requestId },
    { 'WWW-Authenticate': 'Bearer realm="stepgate"' },
  )
}

/** To the code page for a navigation, 401 for a program. */
async function demandStepUp(
  context: Context,
  exchange: Exchange,
  session: Session | undefined,
  demand: StepUp,
  now: number,
  gathered: Gathering | undefined,
): Promise<Answer> {
  const { acr, maxAge } = demand
  const stepUp = maxAge === undefined ? {} : { maxAge }
  auditStepUp(context, exchange, session, stepUp)
  if (isNavigation(exchange)) {
    const back = await wayBack(context, exchange, { session, demand, gathered }, now)
    if (back.kind === 'answer') return back.answer
    const path = codePagePath({ returnTo: back.returnTo, ...stepUp })
    return redirectAnswer(seeOther(exchange.incoming), path, back.setCookies)
  }
  const returnTo = returnTarget(exchange.target.raw, context.config.publicUrl)
  const url = new URL(codePagePath({ returnTo, ...stepUp }), context.config.publicUrl).href
  return insufficient(exchange, acr, maxAge, 'A one-time code is needed', url)
}

/** 401 as in RFC 9470 §3, and the same in JSON with where to go. */
function insufficient(
  { requestId }: Exchange,
  acr: Acr,
  maxAge: number | undefined,
  description: string,
  url: string,
): Answer {
  const seconds = maxAge === undefined ? undefined : Math.floor(maxAge / 1000)
  const challenge = [
    'Bearer realm="stepgate"',
    'error="insufficient_user_authentication"',
    `error_description="${description}"`,
    `acr_values="${acr}"`,
    ...(seconds === undefined ? [] : [`max_age=${seconds}`]),
  ]
  return jsonAnswer(
    401,
    {
      error: 'insufficient_user_authentication',
      acr_values: acr,
      ...(seconds !== undefined && { max_age: seconds }),
      step_up_url: url,
      request_id: requestId,
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
