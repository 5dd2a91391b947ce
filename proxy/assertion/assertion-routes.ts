import { type Answer, jsonAnswer } from '../answer.ts'
import type { Context } from '../context.ts'
import type { OwnApp } from '../own-route.ts'
import { sendAnswer } from '../send-answer.ts'

/** Adds the public keys (RFC 7517 §5), where assertions are sent. */
export function addAssertionRoutes(app: OwnApp, { assertions, clock }: Context): void {
  if (assertions === undefined) return
  app.get('/_stepgate/jwks.json', (c) =>
    sendAnswer(c.env, keysAnswer(assertions.published(clock()))),
  )
}

// A key is published for a week before it signs.
const CACHE = { 'Cache-Control': 'public, max-age=3600' }

function keysAnswer(keys: readonly object[]): Answer {
  return jsonAnswer(200, { keys }, CACHE)
}
