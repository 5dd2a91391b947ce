import type { PageFrame } from '../../pages/page.ts'
import { jsonAnswer } from '../answer.ts'
import { auditFields } from '../audit-fields.ts'
import type { Context } from '../context.ts'
import { type OwnApp, type OwnRequest, onCallback, onGet, ownRequest } from '../own-route.ts'
import { frameRequest } from '../page-answer.ts'
import { sendAnswer } from '../send-answer.ts'
import { deliveryEvents, lookAtDelivery } from './follow-delivery.ts'
import { takeReport } from './take-report.ts'

/** How messages fare: Twilio says it at one end, the code page asks at the other. */
export function addDeliveryRoutes(app: OwnApp, context: Context): void {
  const { isSignedByTwilio } = context
  if (isSignedByTwilio !== undefined) {
    onCallback(app, '/_stepgate/twilio/status', async (fields, { exchange, signature }) => {
      if (!isSignedByTwilio(signature, fields)) {
        const reason = 'callback_signature'
        context.log.audit('request.denied', { ...auditFields({ exchange }), reason })
        return jsonAnswer(403, { error: 'forbidden' })
      }
      await takeReport(context, fields, exchange.requestId)
      return { status: 204, headers: {}, body: '' }
    })
  }

  onGet(app, context, '/_stepgate/otp/status', async (request) => {
    const { session } = request
    if (session === undefined) return signInRequired()
    const { news } = await lookAtDelivery(context, frameOf(request), session)
    return jsonAnswer(200, news)
  })

  app.get('/_stepgate/otp/events', async (c) => {
    const request = await ownRequest(context, c.env, new URLSearchParams(c.env.target.query))
    const { session } = request
    if (session === undefined) return sendAnswer(c.env, signInRequired())
    const frame = frameOf(request)
    const first = await lookAtDelivery(context, frame, session)
    // 204 tells an EventSource not to come back.
    if (first.news.kind === 'over') return new Response(null, { status: 204 })
    const stream = context.streams.open(session)
    if (stream === undefined) {
      return sendAnswer(
        c.env,
        jsonAnswer(429, { error: 'too_many_streams' }, { 'Retry-After': '5' }),
      )
    }
    c.env.outgoing.once('close', stream.done)
    if (c.env.outgoing.destroyed) stream.done()
    return new Response(deliveryEvents(context, frame, session, first, stream.signal), {
      headers: {
        'Content-Type': 'text/event-stream; charset=utf-8',
        'Cache-Control': 'no-store',
        // nginx would keep events back until there are many.
        'X-Accel-Buffering': 'no',
        'X-Content-Type-Options': 'nosniff',
      },
    })
  })
}

function signInRequired() {
  return jsonAnswer(401, { error: 'sign_in_required' })
}

function frameOf({ context, exchange, uiLocales }: OwnRequest): PageFrame {
  return context.pages.frame(frameRequest(exchange, uiLocales))
}
