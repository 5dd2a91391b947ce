import { passWithToken } from './bearer/pass-with-token.ts'
import { shownToken } from './bearer/shown-token.ts'
import type { Context } from './context.ts'
import { askedOf, type Exchange } from './exchange.ts'
import { answerDemand, deny, refuseOrigin } from './gate-answers.ts'
import { FORWARDING, type GateEnds, refuseUnknown } from './gate-ends.ts'
import { decide } from './policy/decide.ts'
import { mayOpenWebSocket } from './request/web-socket-origin.ts'
import { currentSession } from './session/current-session.ts'

/**
 * The way of every request that is not for stepgate itself: who is it, what do the rules say, and
 * then one of four things. Whatever is thrown on the way ends in an error answer in `server.ts`,
 * never in the application.
 */
export async function passGate(
  context: Context,
  exchange: Exchange,
  ends: GateEnds = FORWARDING,
): Promise<void> {
  const { config, clock, countRequest } = context
  const { letPass, answer } = ends
  const now = clock()
  const asked = askedOf(exchange)

  // No page of another origin can send a token, so where it comes from does not matter.
  const shown = shownToken(context, exchange, asked)
  if (shown !== undefined) return passWithToken(context, exchange, shown, asked, now, ends)

  if (exchange.head !== undefined && isFromElsewhere(context, exchange)) {
    exchange.notes.decision = 'deny'
    return answer(exchange, refuseOrigin(context, exchange))
  }

  const found = currentSession(context, exchange, now)
  const session = found instanceof Promise ? await found : found

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
