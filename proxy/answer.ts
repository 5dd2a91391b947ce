import type { IncomingMessage } from 'node:http'
import type { Exchange } from './exchange.ts'
import { endAfterAnswer, streamOf } from './listener/http2-messages.ts'
import { endGently } from './listener/linger.ts'
import { cutOff } from './upstream/cut-off.ts'

/** A whole answer of stepgate's own, however it is sent. */
export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly setCookies?: readonly string[]
  readonly body: string
}

/** JSON that nobody may keep. */
export function jsonAnswer(
  status: number,
  body: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status,
    headers: {
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      ...headers,
    },
    body: `${JSON.stringify(body)}\n`,
  }
}

/** The status of a redirect to a page: after anything but GET and HEAD it must become a GET. */
export function seeOther({ method }: Pick<IncomingMessage, 'method'>): 302 | 303 {
  return method === 'GET' || method === 'HEAD' ? 302 : 303
}

/** A redirect that nobody may keep; 303 turns a form into a GET. */
export function redirectAnswer(
  status: 302 | 303,
  location: string,
  setCookies: readonly string[] = [],
): Answer {
  return {
    status,
    headers: { Location: location, 'Cache-Control': 'no-store', 'Referrer-Policy': 'same-origin' },
    setCookies,
    body: '',
  }
}

/** The answer with more cookies. */
export function withCookies(answer: Answer, cookies: readonly string[]): Answer {
  return { ...answer, setCookies: [...(answer.setCookies ?? []), ...cookies] }
}

/**
 * Sends an answer over node:http, with the request's id; without effect when the client is gone. A
 * response that has already begun as something else is cut off: it will never be complete.
 */
export function writeAnswer(
  { outgoing, requestId }: Pick<Exchange, 'outgoing' | 'requestId'>,
  answer: Answer,
  close = false,
): void {
  if (outgoing.headersSent && !outgoing.writableEnded) cutOff(outgoing)
  if (outgoing.headersSent || outgoing.destroyed) return
  outgoing.setHeader('X-Request-Id', requestId)
  for (const [name, value] of Object.entries(answer.headers)) outgoing.setHeader(name, value)
  if (answer.setCookies !== undefined && answer.setCookies.length > 0) {
    outgoing.setHeader('Set-Cookie', answer.setCookies)
  }
  if (close) outgoing.setHeader('Connection', 'close')
  // A 204 has none (RFC 9110 §8.6).
  if (answer.status !== 204) outgoing.setHeader('Content-Length', Buffer.byteLength(answer.body))
  if (close) endConnection(outgoing)
  outgoing.writeHead(answer.status)
  // As text it goes out in one write with the headers.
  outgoing.end(answer.body)
}

/** Ends what a request came over once it is answered, without reading what is left of its body. */
function endConnection(outgoing: Exchange['outgoing']): void {
  const { req: incoming, socket } = outgoing
  const stream = streamOf(incoming)
  if (incoming.complete) return
  if (stream) endAfterAnswer(stream)
  else if (socket !== null) endGently(socket)
}

/** The same answer as a web Response, where there is no exchange to write to. */
export function toResponse(answer: Answer): Response {
  const headers = new Headers(answer.headers)
  for (const cookie of answer.setCookies ?? []) headers.append('Set-Cookie', cookie)
  return new Response(answer.body, { status: answer.status, headers })
}
