import { type Answer, jsonAnswer, redirectAnswer } from '../answer.ts'
import { auditStepUp } from '../audit-step-up.ts'
import type { Context } from '../context.ts'
import { type OwnApp, type OwnRequest, onCallback, onForm, onGet } from '../own-route.ts'
import { frameRequest, pageAnswer } from '../page-answer.ts'
import { isSignedInWithin, satisfies } from '../policy/satisfies.ts'
import { codePagePath, needOf } from '../request/need.ts'
import { GOING_ON, STEPPED_UP } from '../request/return-target.ts'
import { sessionToEnd } from '../session/current-session.ts'
import { answerCallback } from './answer-callback.ts'
import { answerSignOut, confirmSignOut, showSignedOut } from './answer-sign-out.ts'
import { answerBackChannelLogout } from './back-channel-logout.ts'
import { answerFrontChannelLogout } from './front-channel-logout.ts'
import { goOnWithFragment } from './keep-fragment.ts'
import { sendToProvider } from './send-to-provider.ts'

/** Signing in, stepping up on an application's link, and signing out. */
export function addSignInRoutes(app: OwnApp, context: Context): void {
  onGet(app, context, '/_stepgate/sign-in', signInOn)
  onGet(app, context, '/_stepgate/callback', answerCallback)
  onGet(app, context, '/_stepgate/step-up', stepUpOn)
  onGet(app, context, GOING_ON, goOnWithFragment)
  onGet(app, context, '/_stepgate/step-up/texts', answerTexts)
  onGet(app, context, STEPPED_UP, ({ exchange, uiLocales }) =>
    pageAnswer(context.pages, exchange, 200, 'stepped-up', {}, { uiLocales }),
  )
  onGet(app, context, '/_stepgate/sign-out', confirmSignOut, sessionToEnd)
  onForm(app, context, '/_stepgate/sign-out', answerSignOut, sessionToEnd)
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
  return sendToProvider(request, { returnTo }, { attempt: attemptOf(fields) })
}

/**
 * An application's link: `acr=twilio_sms&return_to=/path[&max_age=900]`. With `acr=basic` it is the
 * sign-in at the provider that must not be older.
 */
function stepUpOn(request: OwnRequest): Promise<Answer> | Answer {
  const { context, exchange, session, fields, uiLocales, now } = request
  const acr = fields.get('acr') ?? 'twilio_sms'
  if (acr !== 'twilio_sms' && acr !== 'basic') {
    const props = { reason: 'form' } as const
    return pageAnswer(context.pages, exchange, 400, 'bad-request', props, { uiLocales })
  }
  const need = needOf(fields, context.config.publicUrl)
  const { returnTo, ...stepUp } = need
  const attempt = attemptOf(fields)
  if (acr === 'basic') {
    const { maxAge: signedInWithin } = stepUp
    const isDone =
      session !== undefined &&
      (signedInWithin === undefined || isSignedInWithin(session, signedInWithin, now))
    if (isDone) return redirectAnswer(302, returnTo)
    const fresh = signedInWithin === undefined ? {} : { signedInWithin }
    return sendToProvider(request, { returnTo, ...fresh }, { attempt })
  }
  if (session === undefined) return sendToProvider(request, { returnTo, stepUp }, { attempt })
  if (satisfies(session, stepUp, now)) return redirectAnswer(302, returnTo)
  auditStepUp(context, exchange, session, need)
  const languages = uiLocales === session.locale ? undefined : uiLocales
  return redirectAnswer(302, codePagePath(need, languages))
}

/** What the dialog of `step-up.js` says, in the person's language. */
function answerTexts({ context, exchange, uiLocales }: OwnRequest): Answer {
  const { t, lang, dir } = context.pages.frame(frameRequest(exchange, uiLocales))
  const names = ['title', 'lead', 'go', 'cancel', 'wait']
  const texts = Object.fromEntries(names.map((name) => [name, t(`step-up.${name}`)]))
  return jsonAnswer(200, { ...texts, lang, dir })
}

function attemptOf(fields: URLSearchParams): number {
  return fields.get('attempt') === '1' ? 1 : 0
}
