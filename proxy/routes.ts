import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener, RequestError } from '@hono/node-server'
import { Hono } from 'hono'
import { jsonAnswer, toResponse } from './answer.ts'
import { errorAnswer } from './answer-error.ts'
import { addAssertionRoutes } from './assertion/assertion-routes.ts'
import type { Context } from './context.ts'
import type { Exchange } from './exchange.ts'
import { addHealthRoutes } from './health-routes.ts'
import { describeError } from './log.ts'
import { addDeliveryRoutes } from './otp/delivery-routes.ts'
import { addOtpRoutes } from './otp/otp-routes.ts'
import type { OwnApp } from './own-route.ts'
import { problemAnswer } from './page-answer.ts'
import { addResumeRoutes } from './resume/resume-routes.ts'
import { sendAnswer } from './send-answer.ts'
import { addSignInRoutes } from './sign-in/sign-in-routes.ts'

/** The app for stepgate's own paths; `env` of a request is its exchange. */
export function createRoutes(context: Context): OwnApp {
  // Hono would decode the path; a known page under another spelling is none of ours.
  const app: OwnApp = new Hono<{ Bindings: Exchange }>({
    getPath: (_request, options) => options?.env?.target.raw.split('?', 1)[0] ?? '',
  })
  addSignInRoutes(app, context)
  addOtpRoutes(app, context)
  addDeliveryRoutes(app, context)
  addResumeRoutes(app, context)
  addHealthRoutes(app, context)
  addAssertionRoutes(app, context)

  app.get('/_stepgate/assets/:name', async (c) => {
    const asset = context.pages.asset(c.req.param('name'))
    if (asset === undefined) return c.notFound()
    return new Response(new Uint8Array(asset.body), {
      headers: {
        'Content-Type': asset.contentType,
        // Pages name an asset with the hash of its content, which makes it another address.
        'Cache-Control':
          c.req.query('v') === asset.hash ? 'public, max-age=31536000, immutable' : 'no-cache',
        'X-Content-Type-Options': 'nosniff',
      },
    })
  })

  const methods = Map.groupBy(app.routes, ({ path }) => path)
  app.notFound(async (c) => {
    const known = methods.get(c.req.path)
    if (known === undefined) {
      const answer = problemAnswer(context.pages, c.env, 404, 'not_found', 'not-found', {})
      return sendAnswer(c.env, await answer)
    }
    const props = { reason: 'method' } as const
    const headers = {
      Allow: known.map(({ method }) => method.replace('GET', 'GET, HEAD')).join(', '),
    }
    const code = 'method_not_allowed'
    return sendAnswer(
      c.env,
      await problemAnswer(context.pages, c.env, 405, code, 'bad-request', props, { headers }),
    )
  })
  app.onError(async (error, c) => sendAnswer(c.env, await errorAnswer(context, c.env, error)))
  return app
}

/** Runs stepgate's own app under node:http, with the exchange as its `env`. */
export function createOwnListener(
  context: Context,
  exchangeOf: (incoming: IncomingMessage) => Exchange | undefined,
): (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void> {
  const app = createRoutes(context)
  return getRequestListener(
    (request, { incoming }) => {
      const exchange = exchangeOf(incoming as IncomingMessage)
      // The front door knows every request that it hands on.
      if (exchange === undefined) return toResponse(jsonAnswer(500, { error: 'internal_error' }))
      return app.fetch(request, exchange)
    },
    {
      overrideGlobalObjects: false,
      // The adapter's own way would show and print the error.
      errorHandler(error) {
        context.log.error('Request failed', describeError(error))
        return error instanceof RequestError
          ? toResponse(jsonAnswer(400, { error: 'bad_request' }))
          : toResponse(jsonAnswer(500, { error: 'internal_error' }))
      },
    },
  )
}
