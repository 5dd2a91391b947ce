import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import {
  createServer as createHttp,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { Socket } from 'node:net'
import { logAccess } from './access-log.ts'
import { emptyNotes } from './access-notes.ts'
import { type Answer, writeAnswer } from './answer.ts'
import { errorAnswer } from './answer-error.ts'
import type { Config } from './config/config.ts'
import type { Context } from './context.ts'
import { prepareDrain } from './drain.ts'
import type { Exchange } from './exchange.ts'
import { passGate } from './gate.ts'
import { listen } from './listen.ts'
import { describeError } from './log.ts'
import { type Asker, problemAnswer } from './page-answer.ts'
import { isOwnTarget } from './request/own-path.ts'
import { type ReadRequest, readRequest } from './request/read-request.ts'
import { createOwnListener } from './routes.ts'

/** A listening front door. `close` lets requests in flight end, at most `DRAIN` ms. */
export type FrontDoor = { readonly address: string; close(): Promise<void> }

const DRAIN = 30_000
const NO_TUNNEL =
  'HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/** One request: read it, or refuse it; then stepgate's own app, or the gate. */
function createDoor(context: Context) {
  const exchanges = new WeakMap<IncomingMessage, Exchange>()
  const answerOwn = createOwnListener(context, (incoming) => exchanges.get(incoming))
  /** Connections that end with an answer under way; what still comes has no sure beginning. */
  const ending = new WeakSet<Socket>()

  return async function door(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { socket, headers } = incoming
    if (ending.has(socket)) return
    // node:http loses bytes that come right behind an upgrade that nobody takes up.
    if (headers.upgrade !== undefined) ending.add(socket)
    outgoing.shouldKeepAlive &&= headers.upgrade === undefined
    const requestId = randomUUID()
    const asker = { incoming, outgoing, requestId }
    try {
      const read = readRequest(context, incoming, outgoing, requestId)
      if (read.kind === 'refused') {
        ending.add(socket)
        context.countRequest('refused')
        logAccess(context, { ...asker, client: read.client, notes: emptyNotes('refused') })
        return writeAnswer(asker, await refuse(context, asker, read), true)
      }
      const { exchange } = read
      logAccess(context, exchange)
      if (!isOwnTarget(exchange.target)) return await passGate(context, exchange)
      context.countRequest('own')
      outgoing.setHeader('X-Request-Id', requestId)
      exchanges.set(incoming, exchange)
      await answerOwn(incoming, outgoing)
    } catch (error) {
      writeAnswer(asker, await errorAnswer(context, asker, error), !incoming.complete)
    }
  }
}

function refuse(
  { log, pages }: Context,
  asker: Asker,
  { status, reason, client }: Extract<ReadRequest, { kind: 'refused' }>,
): Promise<Answer> {
  const fields = { request_id: asker.requestId, client: client.address, reason }
  log.audit('request.denied', fields)
  const page = { reason: status === 405 ? 'method' : 'address' } as const
  return problemAnswer(pages, asker, status, reason, 'bad-request', page)
}

/** Opens the front door; rejects when the address is taken or the certificate can't be read. */
export async function openFrontDoor(context: Context): Promise<FrontDoor> {
  const { config } = context
  const door = createDoor(context)
  const server = createServer(config, (incoming, outgoing) => {
    door(incoming, outgoing).catch((error: unknown) => {
      context.log.error('A request could not be answered', describeError(error))
      outgoing.destroy()
    })
  })
  // node:http alone would answer it, with no word in the log; it is a request like others without it.
  server.on('checkExpectation', (incoming, outgoing) => server.emit('request', incoming, outgoing))
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    // node:http has let go of the socket: an error that nobody hears would end the process.
    socket.on('error', () => socket.destroy())
    socket.end(NO_TUNNEL, () => socket.destroy())
  })
  const drain = prepareDrain(server, DRAIN)
  const address = await listen(server, config.listen)
  // Whatever happens to it later, as when there are no more file descriptors, must end no process.
  server.on('error', (error) => context.log.error('Listening failed', describeError(error)))
  return {
    address,
    close() {
      context.streams.close()
      return drain()
    },
  }
}

function createServer(config: Config, listener: RequestListener) {
  const options = {
    // An upload may take as long as it likes: `requestTimeout` counts the body, headersTimeout not.
    requestTimeout: 0,
    headersTimeout: 30_000,
    keepAliveTimeout: 65_000,
    // `readRequest` refuses what has none, with a page and a line in the log.
    requireHostHeader: false,
    // A session with many groups fills four cookies, and the application has cookies of its own.
    maxHeaderSize: 64 * 1024,
  }
  if (config.tls === undefined) return createHttp(options, listener)
  const { certFile, keyFile } = config.tls
  const tls = { cert: readFileSync(certFile), key: readFileSync(keyFile) }
  return createHttps({ ...options, ...tls, minVersion: 'TLSv1.2' }, listener)
}
