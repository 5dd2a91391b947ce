import { type Answer, jsonAnswer, writeAnswer } from '../answer.ts'
import { errorAnswer } from '../answer-error.ts'
import { auditFields } from '../audit-fields.ts'
import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import { passGate } from '../gate.ts'
import type { GateEnds } from '../gate-ends.ts'
import { problemAnswer } from '../page-answer.ts'
import { asksForWebSocket } from '../request/web-socket-handshake.ts'
import { seeSession } from '../upstream/forward-request.ts'
import { type AnswerMode, readMode } from './answer-mode.ts'
import { againAnswer, allowedAnswer, fitAnswer } from './auth-answers.ts'
import { isAuthTarget } from './auth-path.ts'
import { type OriginalProblem, type OriginalRequest, readOriginal } from './original-request.ts'

/** Whether this is a proxy's question. */
export function asksForAuth({ target }: Exchange): boolean {
  return isAuthTarget(target)
}

/**
 * Answers a proxy that asks whether a request may pass (forward-auth): the same gate, with 200 in place
 * of forwarding. Only a trusted proxy is believed to say which request it is, and of what is not
 * understood nothing is assumed.
 */
export async function answerAuth(given: Context, exchange: Exchange): Promise<void> {
  const mode = readMode(exchange.incoming.rawHeaders)
  const isAgain = mode === 'client' && exchange.client.behindProxy
  const context = isAgain ? withoutRecords(given) : given
  const { config, log, countRequest, findForged } = context
  const answer = (_: Exchange, found: Answer) =>
    writeAnswer(exchange, fitAnswer(found, mode ?? 'whole', config.publicUrl))
  const refuse = (reason: string, header?: string) => {
    log.audit('request.denied', { ...auditFields({ exchange }), reason, ...(header && { header }) })
    exchange.notes.decision = 'refused'
    countRequest('refused')
    return jsonAnswer(403, { error: reason, request_id: exchange.requestId })
  }

  if (!exchange.client.behindProxy) return answer(exchange, refuse('untrusted-proxy'))
  if (mode === undefined) return answer(exchange, refuse('unknown-mode'))
  const forged = findForged(exchange.incoming.rawHeaders)
  if (forged !== undefined) return answer(exchange, refuse('forged-header', forged))
  const read = readOriginal(exchange, config)
  if (read.kind === 'refused') {
    const refused = refuse(read.reason)
    return answer(exchange, read.isClients ? await refuseClient(context, exchange, read) : refused)
  }

  const original = originalExchange(exchange, read.original)
  exchange.notes.original = { method: read.original.method, url: read.original.target.raw }
  try {
    await passGate(context, original, { letPass: letPassIn(mode), answer })
  } catch (error) {
    answer(exchange, await errorAnswer(context, original, error))
  }
}

/** For a question that was asked a moment ago in another mode, and has been audited and counted then. */
function withoutRecords(context: Context): Context {
  return { ...context, countRequest() {}, log: { ...context.log, audit() {} } }
}

function letPassIn(mode: AnswerMode): GateEnds['letPass'] {
  return async (context, exchange, session, now) => {
    if (mode === 'client') return writeAnswer(exchange, againAnswer(context, exchange))
    const seeing = seeSession(context, exchange, session, now)
    const { setCookies } = seeing instanceof Promise ? await seeing : seeing
    writeAnswer(exchange, allowedAnswer(context, exchange, session, setCookies(), now))
  }
}

/** As the front door answers a request that has no single reading. */
function refuseClient(
  { pages }: Context,
  exchange: Exchange,
  { reason }: OriginalProblem,
): Promise<Answer> {
  if (reason === 'own-path') {
    return problemAnswer(pages, exchange, 404, 'not_found', 'not-found', {})
  }
  const status = reason === 'refused-method' ? 405 : reason === 'url-length' ? 414 : 400
  const page = status === 405 ? 'method' : status === 414 ? 'url-length' : 'address'
  return problemAnswer(pages, exchange, status, reason, 'bad-request', { reason: page })
}

/** The exchange as it would be if the request itself had come: the gate sees no difference. */
function originalExchange(
  exchange: Exchange,
  { method, target, hosts }: OriginalRequest,
): Exchange {
  const { head: _, ...rest } = exchange
  // Everything else, headers above all, is read through from the question.
  const incoming = Object.create(exchange.incoming, {
    method: { value: method },
    url: { value: target.raw },
  })
  const original = { ...rest, incoming, target, hosts }
  return isHandshake(exchange) ? { ...original, head: Buffer.alloc(0) } : original
}

/**
 * Most proxies leave `Upgrade` out when they ask, and over HTTP/2 (RFC 8441) there is no key. What
 * begins with `Sec-` no page can write or leave out by itself.
 */
function isHandshake({ incoming }: Exchange): boolean {
  const { headers } = incoming
  return (
    asksForWebSocket(incoming) ||
    headers['sec-websocket-key'] !== undefined ||
    headers['sec-websocket-version'] !== undefined
  )
}
