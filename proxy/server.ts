import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { logAccess } from './access-log.ts'
import { writeAnswer } from './answer.ts'
import { errorAnswer } from './answer-error.ts'
import type { Config } from './config/config.ts'
import type { Context } from './context.ts'
import { prepareDrain } from './drain.ts'
import type { Exchange } from './exchange.ts'
import { passGate } from './gate.ts'
import { describeError } from './log.ts'
import { problemAnswer } from './page-answer.ts'
import { isOwnTarget } from './request/own-path.ts'
import { readRequest } from './request/read-request.ts'
import { createOwnListener, createRoutes } from './routes.ts'

/** A listening front door. `close` lets requests in flight end, at most `DRAIN` ms. */
export type FrontDoor = { readonly address: string; close(): Promise<void> }

const DRAIN = 30_000

/** One request: read it, or refuse it; then stepgate's own app, or the gate. */
function createDoor(context: Context) {
  const exchanges = new WeakMap<IncomingMessage, Exchange>()
  const answerOwn = createOwnListener(createRoutes(context), (incoming) => exchanges.get(incoming))

  return async function door(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const requestId = randomUUID()
    const asker = { incoming, requestId }
    try {
      const read = readRequest(context, incoming, outgoing, requestId)
      if (read.kind === 'refused') {
        const { status, reason } = read
        context.log.audit('request.denied', { request_id: requestId, reason })
        logAccess(context, asker, outgoing)
        const page = { reason: status === 405 ? 'method' : 'address' } as const
        const answer = problemAnswer(context.pages, asker, status, reason, 'bad-request', page)
        // Who sends such a request may have more of it in the pipe.
        return writeAnswer(outgoing, await answer, true)
      }
      const { exchange } = read
      logAccess(context, exchange, outgoing)
      if (!isOwnTarget(exchange.target)) return await passGate(context, exchange)
      outgoing.setHeader('X-Request-Id', requestId)
      exchanges.set(incoming, exchange)
      await answerOwn(incoming, outgoing)
    } catch (error) {
      await answerFailed(context, { incoming, requestId }, outgoing, error)
    }
  }
}

async function answerFailed(
  context: Context,
  asker: { incoming: IncomingMessage; requestId: string },
  outgoing: ServerResponse,
  error: unknown,
): Promise<void> {
  try {
    writeAnswer(outgoing, await errorAnswer(context, asker, error), !asker.incoming.complete)
  } catch (second) {
    context.log.error('Error page failed', describeError(second))
    outgoing.destroy()
  }
}

/** Opens the front door; rejects when the address is taken or the certificate can't be read. */
export async function openFrontDoor(context: Context): Promise<FrontDoor> {
  const { config } = context
  const server = createServer(config, createDoor(context))
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    socket.end('HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  })
  const close = prepareDrain(server, DRAIN)
  await listen(server, config.listen)
  return { address: addressOf(server), close }
}

function createServer(config: Config, door: (i: IncomingMessage, o: ServerResponse) => void) {
  const options = {
    // An upload may take as long as it likes: `requestTimeout` counts the body, headersTimeout not.
    requestTimeout: 0,
    headersTimeout: 30_000,
    keepAliveTimeout: 65_000,
    // A session with many groups fills four cookies, and the application has cookies of its own.
    maxHeaderSize: 64 * 1024,
  }
  if (config.tls === undefined) return createHttp(options, door)
  const { certFile, keyFile } = config.tls
  const tls = { cert: readFileSync(certFile), key: readFileSync(keyFile) }
  return createHttps({ ...options, ...tls, minVersion: 'TLSv1.2' }, door)
}

function listen(server: Server, address: Config['listen']): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    if (address.kind === 'unix') server.listen(address.path, resolve)
    else if (address.host === undefined) server.listen(address.port, resolve)
    else server.listen(address.port, address.host, resolve)
  })
}

function addressOf(server: Server): string {
  const address = server.address() as AddressInfo | string
  if (typeof address === 'string') return `unix:${address}`
  return `${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
}
