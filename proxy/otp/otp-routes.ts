import type { Answer } from '../answer.ts'
import type { Context } from '../context.ts'
import { type OwnApp, type OwnRequest, onForm, onGet } from '../own-route.ts'
import { satisfies } from '../policy/satisfies.ts'
import { needOf } from '../request/need.ts'
import { sendToProvider } from '../sign-in/send-to-provider.ts'
import { checkCode } from './check-code.ts'
import { chooseNumber } from './choose-number.ts'
import { goOn } from './otp-answers.ts'
import { sendAgain } from './send-again.ts'
import { showCode } from './show-code.ts'
import type { Visit } from './visit.ts'

/** The code page and its forms. */
export function addOtpRoutes(app: OwnApp, context: Context): void {
  const at = '/_stepgate/otp'
  onGet(app, context, at, visited(showCode))
  onForm(
    app,
    context,
    at,
    visited((visit, fields) => checkCode(visit, fields.get('code') ?? '')),
  )
  onForm(
    app,
    context,
    `${at}/resend`,
    visited((visit) => sendAgain(visit, 'sms')),
  )
  onForm(
    app,
    context,
    `${at}/call`,
    visited((visit) => sendAgain(visit, 'call')),
  )
  onGet(
    app,
    context,
    `${at}/number`,
    visited((visit) => chooseNumber(visit, undefined)),
  )
  onForm(
    app,
    context,
    `${at}/number`,
    visited((visit, fields) => chooseNumber(visit, fields.get('number') ?? '')),
  )
}

/** Only for somebody who is signed in and still needs a code; others are sent where they belong. */
function visited(step: (visit: Visit, fields: URLSearchParams) => Promise<Answer>) {
  return (request: OwnRequest): Promise<Answer> | Answer => {
    const { context, session, fields, now } = request
    const need = needOf(fields, context.config.publicUrl)
    const { returnTo, ...stepUp } = need
    if (session === undefined) return sendToProvider(request, { returnTo, stepUp })
    const visit = { ...request, session, need }
    return satisfies(session, stepUp, now) ? goOn(visit) : step(visit, fields)
  }
}
