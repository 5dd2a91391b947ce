import type { Socket } from 'node:net'
import { releaseSocket } from '../answer-on-socket.ts'
import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import type { Session } from '../session/session.ts'
import type { UpgradeOutcome } from './forward.ts'
import { answerEnded, answerUnanswered, rebuildRequest, seeSession } from './forward-request.ts'
import { holdEarly } from './hold-early.ts'

/**
 * Sends an allowed handshake to the application, with who is asking in its headers, and joins the
 * connections if it accepts. Its refusal is passed on, unless it asks for what the person can do.
 * `head`, and what the client sends after it, is held back until then: to an application that has not
 * switched it would be another request, which nobody has judged.
 */
export async function forwardWebSocket(
  context: Context,
  exchange: Exchange,
  head: Buffer,
  session: Session | undefined,
  now: number,
): Promise<void> {
  const { upstream, underWay } = context
  const { incoming, outgoing, notes } = exchange
  const { socket } = incoming
  const release = holdEarly(socket, outgoing)
  const seeing = seeSession(context, exchange, session, now)
  const seen = await seeing
  if (session !== undefined && seeing instanceof Promise && context.revocations.isOver(session)) {
    return answerEnded(context, exchange, now)
  }
  const request = rebuildRequest(context, exchange, session, now)
  const key = String(incoming.headers['sec-websocket-key'])
  const open = seen.session && underWay.enter(exchange, seen.session)
  let outcome: UpgradeOutcome
  try {
    const { setCookies } = seen
    outcome = await upstream.forwarder.upgrade(request, key, outgoing, setCookies, notes, open)
  } finally {
    if (open !== undefined) underWay.leave(open)
  }
  if (outcome.kind === 'answered' || outcome.kind === 'client-gone') return
  if (outcome.kind === 'session-ended') return answerEnded(context, exchange, now)
  if (outcome.kind !== 'switched') return answerUnanswered(context, exchange, session, outcome)
  const early = release()
  releaseSocket(socket)
  outgoing.writeHead(101, [...outcome.headers, 'Connection', 'Upgrade', 'Upgrade', 'websocket'])
  outgoing.end()
  underWay.openWebSocket({
    client: socket,
    upstream: outcome.socket as Socket,
    head: Buffer.concat([head, ...early]),
    session: seen.session,
    exchange,
  })
}
