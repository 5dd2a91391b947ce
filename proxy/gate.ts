import { type Answer, writeAnswer } from './answer.ts'
import type { Context } from './context.ts'
import type { Exchange } from './exchange.ts'
import { answerDemand, deny, refuseOrigin } from './gate-answers.ts'
import { decide } from './policy/decide.ts'
import { mayOpenWebSocket } from './request/web-socket-origin.ts'
import { currentSession } from './session/current-session.ts'
import type { Session } from './session/session.ts'
import { forwardRequest } from './upstream/forward-request.ts'
import { forwardWebSocket } from './upstream/forward-web-socket.ts'

/** What becomes of a request at the end of its way: it may go on, or it is answered. */
export type GateEnds = {
  letPass(
    context: Context,
    exchange: Exchange,
    session: Session | undefined,
    now: number,
  ): Promise<void>
  answer(exchange: Exchange, answer: Answer): void
}

const FORWARDING: GateEnds = {
  letPass: (context, exchange, session, now) =>
    exchange.head === undefined
      ? forwardRequest(context, exchange, session, now)
      : forwardWebSocket(context, exchange, exchange.head, session, now),
  answer: writeAnswer,
}

/**
 * The way of every request that is not for stepgate itself: who is it, what do the rules say, and
 * then one of four things. Whatever is thrown on the way ends in an error answer in `server.ts`,
 * never in the application.
 */
export async function passGate(
  context: Context,
  exchange: Exchange,
  { letPass, answer }: GateEnds = FORWARDING,
): Promise<void> {
  const { config, clock, countRequest } = context
  const now = clock()

  if (exchange.head !== undefined && isFromElsewhere(context, exchange)) {
    exchange.notes.decision = 'deny'
    return answer(exchange, refuseOrigin(context, exchange))
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
      return letPass(context, exchange, session, now)
    case 'sign-in':
    case 'step-up':
      return answer(exchange, await answerDemand(context, exchange, session, decision, now))
    case 'deny':
      return answer(exchange, await deny(context, exchange, session, decision.reason))
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
