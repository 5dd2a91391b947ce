import { type Answer, writeAnswer } from './answer.ts'
import type { Context } from './context.ts'
import type { Exchange } from './exchange.ts'
import { mayBeMarked } from './resume/marker.ts'
import { sendOn } from './resume/send-on.ts'
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

/** The ends where stepgate stands before the application. */
export const FORWARDING: GateEnds = {
  letPass(context, exchange, session, now) {
    if (exchange.head !== undefined) {
      return forwardWebSocket(context, exchange, exchange.head, session, now)
    }
    // Nothing is kept for machines.
    return exchange.tokenUntil === undefined && mayBeMarked(exchange.incoming)
      ? sendOn(context, exchange)
      : forwardRequest(context, exchange, session, now)
  },
  answer: writeAnswer,
}

/** For a decision that no way knows: what is not understood is no way into the application. */
export function refuseUnknown(decision: never): never {
  throw new TypeError(`unknown decision ${JSON.stringify(decision)}`)
}
