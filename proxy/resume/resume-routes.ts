import { type Answer, redirectAnswer } from '../answer.ts'
import type { Context } from '../context.ts'
import { deny } from '../gate-answers.ts'
import { type OwnApp, type OwnRequest, onGet } from '../own-route.ts'
import { pageAnswer } from '../page-answer.ts'
import { decide } from '../policy/decide.ts'
import { codePagePath } from '../request/need.ts'
import { RESUME } from '../request/return-target.ts'
import { parseTarget } from '../request/target.ts'
import { sendToProvider } from '../sign-in/send-to-provider.ts'
import { checkOwner } from './check-owner.ts'
import { changeKept, type Found, findKept } from './kept.ts'
import { notSentAnswer } from './not-sent.ts'
import { resumePath } from './resume-path.ts'

/** The page from which a kept form goes on. */
export function addResumeRoutes(app: OwnApp, context: Context): void {
  onGet(app, context, RESUME, resume)
}

/**
 * `GET /_stepgate/resume`: whoever is through gets a form that stands for the kept one, and sends itself
 * to where that was meant to go. Nothing is sent on by this: what comes from there passes the gate.
 */
async function resume(request: OwnRequest): Promise<Answer> {
  const { context, exchange, session, fields, now } = request
  const found = await findKept(context, fields.get('id') ?? '', now)
  const checked = await checkOwner(context, exchange, session, found, now)
  if (checked.kind === 'refused') {
    return notSentAnswer(context, exchange, session, { reason: checked.reason })
  }
  const { kept } = checked.found
  if (kept.sentTo.length > 0) {
    return notSentAnswer(context, exchange, session, { reason: 'sent' })
  }
  const parsed = parseTarget(kept.target, context.config)
  if (parsed.kind === 'rejected') {
    return notSentAnswer(context, exchange, session, { reason: 'gone' })
  }
  const { rules, defaultAcr } = context.config
  const asked = { method: kept.method, hosts: exchange.hosts, paths: parsed.target.paths }
  const decision = decide(rules, defaultAcr, session, asked, now)
  const returnTo = resumePath(checked.found.id)
  switch (decision.kind) {
    case 'sign-in': {
      const { maxAge: signedInWithin } = decision
      const fresh = signedInWithin === undefined ? {} : { signedInWithin }
      return sendToProvider(request, { returnTo, ...fresh })
    }
    case 'step-up': {
      const { maxAge } = decision
      const need = maxAge === undefined ? { returnTo } : { returnTo, maxAge }
      return redirectAnswer(302, codePagePath(need))
    }
    case 'deny':
      return deny(context, exchange, session, decision.reason)
    case 'forward': {
      // On a public path: it waits for its person.
      const isOfNobody = session === undefined && kept.subject !== undefined
      return isOfNobody ? sendToProvider(request, { returnTo }) : sendOnPage(request, checked.found)
    }
  }
}

async function sendOnPage(request: OwnRequest, found: Found): Promise<Answer> {
  const { context, exchange, session, uiLocales, now } = request
  // From here on it is of the person who is there: nobody who comes later may send it.
  if (found.kept.subject === undefined && session !== undefined) {
    await changeKept(context, found, { subject: session.subject }, now)
  }
  const props = { action: found.kept.target, id: found.id }
  // As from the code page, the application may redirect to another host.
  const formActionOrigins =
    context.config.publicUrl.protocol === 'https:' ? ['https:'] : ['http:', 'https:']
  return pageAnswer(context.pages, exchange, 200, 'send-on', props, {
    uiLocales,
    formActionOrigins,
  })
}
