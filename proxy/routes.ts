import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { jsonAnswer, toResponse } from './answer.ts'
import { errorAnswer } from './answer-error.ts'
import type { Context } from './context.ts'
import type { Exchange } from './exchange.ts'
import { addHealthRoutes } from './health-routes.ts'
import { addOtpRoutes } from './otp/otp-routes.ts'
import type { OwnApp } from './own-route.ts'
import { pageAnswer, problemAnswer } from './page-answer.ts'
import { addSignInRoutes } from './sign-in/sign-in-routes.ts'

/** The app for stepgate's own paths; `env` of a request is its exchange. */
export function createRoutes(context: Context): OwnApp {
  const app: OwnApp = new Hono<{ Bindings: Exchange }>()
  addSignInRoutes(app, context)
  addOtpRoutes(app, context)
  addHealthRoutes(app, context)

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

  const known = new Set(app.routes.map(({ path }) => path))
  app.notFound(async (c) => {
    if (known.has(c.req.path)) {
      const props = { reason: 'method' } as const
      return toResponse(await pageAnswer(context.pages, c.env, 405, 'bad-request', props))
    }
    const answer = problemAnswer(context.pages, c.env, 404, 'not_found', 'not-found', {})
    return toResponse(await answer)
  })
  app.onError(async (error, c) => toResponse(await errorAnswer(context, c.env, error)))
  return app
}

/** Runs the app under node:http, with the exchange as its `env`. */
export function createOwnListener(
  app: OwnApp,
  exchangeOf: (incoming: IncomingMessage) => Exchange | undefined,
): (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void> {
  return getRequestListener(
    (request, { incoming }) => {
      const exchange = exchangeOf(incoming as IncomingMessage)
      // The front door knows every request that it hands on.
      if (exchange === undefined) return toResponse(jsonAnswer(500, { error: 'internal_error' }))
      return app.fetch(request, exchange)
    },
    { overrideGlobalObjects: false },
  )
}
