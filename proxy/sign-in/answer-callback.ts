import type { SignInFailedProps } from '../../pages/sign-in-failed.ts'
import { type Answer, redirectAnswer } from '../answer.ts'
import { cookieHeadersOf } from '../exchange.ts'
import type { OwnRequest } from '../own-route.ts'
import { pageAnswer } from '../page-answer.ts'
import { clearCookie, readCookie } from '../session/cookies.ts'
import { sessionCookies } from '../session/current-session.ts'
import { type Destination, finishSignIn, type SignInFailure } from './finish-sign-in.ts'
import { otpPath } from './otp-path.ts'

/** `GET /_stepgate/callback`: a new session, or a page that says why not and how to go on. */
export async function answerCallback(request: OwnRequest): Promise<Answer> {
  const { context, exchange, session, fields, now } = request
  const { cookies, config, store, signIn, log } = context
  const browser = readCookie(cookieHeadersOf(exchange.incoming), cookies.browser)
  const callback = { query: `?${fields}`, browser, session }
  const finished = await finishSignIn({ ...signIn, store, config }, callback, now)
  const { destination } = finished
  const audit = { request_id: exchange.requestId, client: exchange.client.address }
  switch (finished.kind) {
    case 'already':
      return redirectAnswer(303, pathTo(destination))
    case 'signed-in': {
      const { subject, acr, amr } = finished.session
      log.audit('sign_in.succeeded', { ...audit, subject, acr, amr: amr.join(' ') })
      return redirectAnswer(303, pathTo(destination), [
        ...(await sessionCookies(context, exchange, finished.session, now)),
        clearCookie(cookies.browser, config),
      ])
    }
    case 'failed':
      log.audit('sign_in.failed', { ...audit, ...auditReason(finished.reason) })
      return failurePage(request, finished.reason, destination)
  }
}

function pathTo({ returnTo, stepUp }: Destination): string {
  return stepUp === undefined ? returnTo : otpPath({ returnTo, stepUp })
}

function failurePage(
  { context, exchange, uiLocales }: OwnRequest,
  reason: SignInFailure,
  destination: Destination,
): Promise<Answer> {
  const { pages } = context
  const retryUrl = retryPath(reason, destination)
  if (reason.kind === 'unavailable') {
    const props = { reason: 'provider', retryUrl } as const
    return pageAnswer(pages, exchange, 503, 'unavailable', props, { uiLocales })
  }
  const props = { ...propsOf(reason), retryUrl }
  const status = reason.kind === 'refused' ? 403 : 400
  return pageAnswer(pages, exchange, status, 'sign-in-failed', props, { uiLocales })
}

function propsOf(
  reason: Exclude<SignInFailure, { kind: 'unavailable' }>,
): Omit<SignInFailedProps, 'retryUrl'> {
  switch (reason.kind) {
    case 'refused':
      return {
        reason: 'refused',
        providerError: reason.error,
        ...(reason.description !== undefined && { providerDescription: reason.description }),
      }
    case 'other-browser':
      // Tabs that were opened at the same moment without a cookie overwrite each other's. Starting
      // again is safe, since it signs in whoever holds this browser; once, so that nothing loops.
      return { reason: 'other-browser', autoRetry: reason.attempt === 0 }
    case 'expired':
      return { reason: 'expired' }
    case 'no-state':
    case 'invalid':
      return { reason: 'invalid' }
    case 'missing-claim':
      return { reason: 'provider-error' }
  }
}

function retryPath(reason: SignInFailure, { returnTo, stepUp }: Destination): string {
  const query = new URLSearchParams({ return_to: returnTo })
  if (stepUp !== undefined) {
    if (stepUp.maxAge !== undefined) query.set('max_age', String(stepUp.maxAge / 1000))
    query.set('acr', 'twilio_sms')
  }
  if (reason.kind === 'other-browser') query.set('attempt', '1')
  return `/_stepgate/${stepUp === undefined ? 'sign-in' : 'step-up'}?${query}`
}

function auditReason(reason: SignInFailure) {
  switch (reason.kind) {
    case 'refused':
      return { reason: reason.kind, error: reason.error }
    case 'invalid':
    case 'unavailable':
      return { reason: reason.kind, code: reason.code }
    case 'missing-claim':
      return { reason: reason.kind, claim: reason.claim }
    case 'no-state':
    case 'expired':
    case 'other-browser':
      return { reason: reason.kind }
  }
}
