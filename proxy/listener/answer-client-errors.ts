import { randomUUID } from 'node:crypto'
import { type Server, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { type Answer, jsonAnswer } from '../answer.ts'
import type { Context } from '../context.ts'
import { errorCode } from '../error-code.ts'
import { addressOf } from '../request/client-address.ts'
import { endGently } from './linger.ts'
import type { Traffic } from './traffic.ts'

const LIMITS: Readonly<Record<string, { status: number; reason: string }>> = {
  HPE_HEADER_OVERFLOW: { status: 431, reason: 'header-size' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, reason: 'header-timeout' },
}
const NO_HTTP: Answer = { status: 400, headers: {}, body: '' }

/**
 * Answers on a connection whose bytes node:http can't take for a request, as node itself does, and
 * where a limit is the reason says so in JSON and in the log: of the request nothing is known that
 * would tell a page from data. A connection that never sent anything ends without a word: browsers
 * open some ahead of need.
 */
export function answerClientErrors(
  server: Server,
  { connections }: Traffic,
  { log, countRequest }: Pick<Context, 'log' | 'countRequest'>,
): void {
  const answered = new WeakSet<Socket>()
  server.on('clientError', (error: Error, socket: Socket) => {
    // What still comes is no better, and each piece of it an error.
    if (answered.has(socket)) return
    answered.add(socket)
    const [response] = connections.get(socket) ?? []
    if (!socket.writable || response?.headersSent || socket.bytesRead === 0)
      return void socket.destroy()
    const limit = LIMITS[errorCode(error) ?? '']
    if (limit === undefined) return refuse(socket, NO_HTTP)
    const { status, reason } = limit
    const requestId = randomUUID()
    const client = addressOf(socket)
    log.audit('request.denied', { request_id: requestId, client, reason })
    countRequest('refused')
    const id = { 'X-Request-Id': requestId }
    refuse(socket, jsonAnswer(status, { error: reason, request_id: requestId }, id))
  })
}

function refuse(socket: Socket, { status, headers, body }: Answer): void {
  const length = body === '' ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }
  const lines = Object.entries({ Connection: 'close', ...headers, ...length })
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`]
  for (const [name, value] of lines) head.push(`${name}: ${value}`)
  endGently(socket)
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  socket.destroySoon()
}
