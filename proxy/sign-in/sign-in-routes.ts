import { type Answer, redirectAnswer } from '../answer.ts'
import { auditStepUp } from '../audit-step-up.ts'
import type { Context } from '../context.ts'
import { type OwnApp, type OwnRequest, onCallback, onForm, onGet } from '../own-route.ts'
import { pageAnswer } from '../page-answer.ts'
import { satisfies } from '../policy/satisfies.ts'
import { codePagePath, needOf } from '../request/need.ts'
import { answerCallback } from './answer-callback.ts'
import { answerSignOut, confirmSignOut, showSignedOut } from './answer-sign-out.ts'
import { answerBackChannelLogout } from './back-channel-logout.ts'
import { answerFrontChannelLogout } from './front-channel-logout.ts'
import { sendToProvider } from './send-to-provider.ts'

/** Signing in, stepping up on an application's link, and signing out. */
export function addSignInRoutes(app: OwnApp, context: Context): void {
  onGet(app, context, '/_stepgate/sign-in', signInOn)
  onGet(app, context, '/_stepgate/callback', answerCallback)
  onGet(app, context, '/_stepgate/step-up', stepUpOn)
  onGet(app, context, '/_stepgate/sign-out', confirmSignOut)
  onForm(app, context, '/_stepgate/sign-out', answerSignOut)
  onGet(app, context, '/_stepgate/signed-out', showSignedOut)
  onCallback(app, '/_stepgate/backchannel-logout', (fields, { exchange }) =>
    answerBackChannelLogout(context, exchange, fields),
  )
  onGet(app, context, '/_stepgate/frontchannel-logout', answerFrontChannelLogout)
}

function signInOn(request: OwnRequest): Promise<Answer> | Answer {
  const { context, session, fields } = request
  const { returnTo } = needOf(fields, context.config.publicUrl)
  if (session !== undefined) return redirectAnswer(302, returnTo)
  return sendToProvider(request, { returnTo }, attemptOf(fields))
}

/** An application's link: `acr=twilio_sms&return_to=/path[&max_age=900]`. */
function stepUpOn(request: OwnRequest): Promise<Answer> | Answer {
  const { context, exchange, session, fields, uiLocales, now } = request
  const acr = fields.get('acr') ?? 'twilio_sms'
  if (acr !== 'twilio_sms' && acr !== 'basic') {
    const props = { reason: 'form' } as const
    return pageAnswer(context.pages, exchange, 400, 'bad-request', props, { uiLocales })
  }
  const need = needOf(fields, context.config.publicUrl)
  const { returnTo, ...stepUp } = need
  if (session === undefined) {
    const destination = acr === 'basic' ? { returnTo } : { returnTo, stepUp }
    return sendToProvider(request, destination, attemptOf(fields))
  }
  if (acr === 'basic' || satisfies(session, stepUp, now)) return redirectAnswer(302, returnTo)
  auditStepUp(context, exchange, session, need)
  const languages = uiLocales === session.locale ? undefined : uiLocales
  return redirectAnswer(302, codePagePath(need, languages))
}

function attemptOf(fields: URLSearchParams): number {
  return fields.get('attempt') === '1' ? 1 : 0
}
