import type { SignInFailedProps } from '../../pages/sign-in-failed.ts'
import { type Answer, redirectAnswer } from '../answer.ts'
import type { OwnRequest } from '../own-route.ts'
import { pageAnswer } from '../page-answer.ts'
import { codePagePath, signInPath } from '../request/need.ts'
import { clearCookie } from '../session/cookies.ts'
import { sessionCookies } from '../session/current-session.ts'
import { forgetTokens } from '../session/provider-tokens.ts'
import { readBrowserCookies } from './browser-cookies.ts'
import { type Destination, finishSignIn, type SignInFailure } from './finish-sign-in.ts'
import { sendToProvider } from './send-to-provider.ts'
import { warnOfGroups } from './warn-of-groups.ts'

/** `GET /_stepgate/callback`: a new session, or a page that says why not and how to go on. */
export async function answerCallback(request: OwnRequest): Promise<Answer> {
  const { context, exchange, session, fields, now } = request
  const { cookies, config, store, keptGroups, signIn, revocations, recheck, log } = context
  const browsers = readBrowserCookies(exchange.incoming.headers.cookie, cookies.browser)
  const callback = { query: `?${fields}`, browsers: browsers.map(({ value }) => value), session }
  const parts = { ...signIn, store, keptGroups, config, revocations }
  const finished = await finishSignIn(parts, callback, now)
  const { destination } = finished
  const audit = { request_id: exchange.requestId, client: exchange.client.address }
  switch (finished.kind) {
    case 'already':
      return redirectAnswer(303, pathTo(destination))
    case 'signed-in': {
      const { subject, acr, amr } = finished.session
      const setCookies = await sessionCookies(context, exchange, finished.session, now)
      // A session that was there before, whoever put it there, ends with the sign-in (ASVS 7.2.4).
      if (session !== undefined) {
        const goesOn = session.family === finished.session.family
        const end = session.createdAt + config.session.lifetime
        const fields = { ...audit, subject: session.subject }
        await revocations.revoke(goesOn ? session.id : session.family, end, fields)
        if (!goesOn) {
          log.audit('session.ended', { ...fields, reason: 'other_sign_in' })
          await forgetTokens(context, session.family, now)
        }
      }
      recheck.began(finished.session)
      warnOfGroups(log, finished.session)
      log.audit('sign_in.succeeded', { ...audit, subject, acr, amr: amr.join(' ') })
      return redirectAnswer(303, pathTo(destination), [
        ...setCookies,
        // All of them: the first named the family, and what is signed out must not name another.
        ...browsers.map(({ name }) => clearCookie(name, config)),
      ])
    }
    case 'not-asked':
      return askThere(request, destination)
    case 'failed':
      // `max_age` alone lets people pass who have just signed in elsewhere; some providers know no
      // more than `prompt`. Once, against loops.
      if (finished.reason.kind === 'not-fresh' && !finished.reason.prompted) {
        return askThere(request, destination)
      }
      log.audit('sign_in.failed', { ...audit, ...auditReason(finished.reason) })
      return failurePage(request, finished.reason, destination)
  }
}

/** To the provider again, which is to ask. */
function askThere(request: OwnRequest, destination: Destination): Promise<Answer> {
  const { uiLocales } = destination
  return sendToProvider({ ...request, uiLocales }, destination, { prompted: true })
}

function pathTo({ returnTo, stepUp }: Destination): string {
  return stepUp === undefined ? returnTo : codePagePath({ returnTo, ...stepUp })
}

function failurePage(
  { context, exchange, uiLocales: asked }: OwnRequest,
  reason: SignInFailure,
  destination: Destination,
): Promise<Answer> {
  const { pages } = context
  const uiLocales = destination.uiLocales ?? asked
  const retryUrl = retryPath(reason, destination)
  if (reason.kind === 'unavailable') {
    const props = { reason: reason.part, retryUrl }
    const headers = { 'Retry-After': '5' }
    return pageAnswer(pages, exchange, 503, 'unavailable', props, { uiLocales, headers })
  }
  const props = { ...propsOf(reason), retryUrl }
  return pageAnswer(pages, exchange, statusOf(reason), 'sign-in-failed', props, { uiLocales })
}

/** Answers of the provider that are about the person (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6,
 * OpenID Connect Core Error Code unmet_authentication_requirements). */
const REFUSALS: ReadonlySet<string> = new Set([
  'access_denied',
  'login_required',
  'interaction_required',
  'consent_required',
  'account_selection_required',
  'unmet_authentication_requirements',
])

function statusOf(reason: ShownFailure): number {
  switch (reason.kind) {
    case 'refused':
      return REFUSALS.has(reason.error) ? 403 : 502
    case 'not-fresh':
      return 403
    case 'missing-claim':
    case 'ended':
      return 502
    default:
      return 400
  }
}

type ShownFailure = Exclude<SignInFailure, { kind: 'unavailable' }>

function propsOf(reason: ShownFailure): Omit<SignInFailedProps, 'retryUrl'> {
  switch (reason.kind) {
    case 'refused':
      return {
        reason: REFUSALS.has(reason.error) ? 'refused' : 'provider-error',
        providerError: reason.error,
        ...(reason.description !== undefined && { providerDescription: reason.description }),
      }
    case 'other-browser':
      // A link in the provider's mail was opened elsewhere, or another tab signed in and out again.
      // Starting again is safe, since it signs in whoever holds this browser; once, against loops.
      return { reason: 'other-browser', autoRetry: reason.attempt === 0 }
    case 'expired':
      return { reason: 'expired' }
    case 'no-state':
    case 'invalid':
      return { reason: 'invalid' }
    case 'missing-claim':
    case 'ended':
      return { reason: 'provider-error' }
    case 'not-fresh':
      return { reason: 'not-fresh', seconds: Math.max(60, reason.within / 1000) }
  }
}

function retryPath(reason: SignInFailure, destination: Destination): string {
  const { returnTo, stepUp, signedInWithin, uiLocales } = destination
  if (signedInWithin !== undefined) return signInPath({ returnTo, signedInWithin })
  const query = new URLSearchParams({ return_to: returnTo })
  if (uiLocales !== undefined) query.set('ui_locales', uiLocales)
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
      return { reason: reason.kind, error: codeText(reason.error) }
    case 'invalid':
    case 'unavailable':
      return { reason: reason.kind, code: codeText(reason.code) }
    case 'missing-claim':
      return { reason: reason.kind, claim: reason.claim }
    case 'not-fresh':
      return { reason: reason.kind, max_age: Math.floor(reason.within / 1000) }
    case 'no-state':
    case 'expired':
    case 'other-browser':
    case 'ended':
      return { reason: reason.kind }
  }
}

/** A code as it may stand in the log; what only calls itself a code, and may be a token, is left out. */
function codeText(code: string): string {
  return /^[A-Za-z0-9_.-]{1,64}$/.test(code) ? code : 'other'
}
