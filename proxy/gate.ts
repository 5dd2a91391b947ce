import { writeAnswer } from './answer.ts'
import type { Context } from './context.ts'
import type { Exchange } from './exchange.ts'
import { demandSignIn, demandStepUp, deny, refuseOrigin } from './gate-answers.ts'
import { decide } from './policy/decide.ts'
import { mayOpenWebSocket } from './request/web-socket-origin.ts'
import { currentSession } from './session/current-session.ts'
import { forwardRequest } from './upstream/forward-request.ts'
import { forwardWebSocket } from './upstream/forward-web-socket.ts'

/**
 * The way of every request that is not for stepgate itself: who is it, what do the rules say, and
 * then one of four things. Whatever is thrown on the way ends in an error answer in `server.ts`,
 * never in the application.
 */
export async function passGate(context: Context, exchange: Exchange): Promise<void> {
  const { config, clock, countRequest } = context
  const now = clock()

  if (exchange.head !== undefined && isFromElsewhere(context, exchange)) {
    exchange.notes.decision = 'deny'
    return writeAnswer(exchange, refuseOrigin(context, exchange))
  }

  const found = currentSession(context, exchange, now)
  const session = found instanceof Promise ? await found : found

  const { method = '' } = exchange.incoming
  const asked = { method, hosts: exchange.hosts, paths: exchange.target.paths }
  const decision = decide(config.rules, config.defaultAcr, session, asked, now)
  exchange.notes.decision = decision.kind
  exchange.notes.subject = session?.subject
  countRequest(decision.kind)

  switch (decision.kind) {
    case 'forward':
      return exchange.head === undefined
        ? forwardRequest(context, exchange, session, now)
        : forwardWebSocket(context, exchange, exchange.head, session, now)
    case 'sign-in':
      return writeAnswer(exchange, await demandSignIn(context, exchange, now))
    case 'step-up':
      return writeAnswer(exchange, await demandStepUp(context, exchange, session, decision))
    case 'deny':
      return writeAnswer(exchange, await deny(context, exchange, session, decision.reason))
    default:
      return refuseUnknown(decision)
  }
}

function isFromElsewhere({ config }: Context, { incoming }: Exchange): boolean {
  return !mayOpenWebSocket(incoming.headers.origin, config.publicUrl, config.webSocketOrigins)
}

function refuseUnknown(decision: never): never {
  throw new TypeError(`unknown decision ${JSON.stringify(decision)}`)
}
