import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { logAccess } from './access-log.ts'
import { emptyNotes } from './access-notes.ts'
import { type Answer, writeAnswer } from './answer.ts'
import { errorAnswer } from './answer-error.ts'
import { answerOnSocket } from './answer-on-socket.ts'
import type { Context } from './context.ts'
import { prepareDrain } from './drain.ts'
import type { Exchange } from './exchange.ts'
import { answerAuth, asksForAuth } from './forward-auth/answer-auth.ts'
import { passGate } from './gate.ts'
import { listen } from './listen.ts'
import { acceptProxied } from './listener/accept-proxied.ts'
import { answerClientErrors } from './listener/answer-client-errors.ts'
import { createServer } from './listener/create-server.ts'
import { dropGone } from './listener/drop-gone.ts'
import { streamOf } from './listener/http2-messages.ts'
import { limitConnections } from './listener/limit-connections.ts'
import { limitPipelining } from './listener/limit-pipelining.ts'
import { endsSoon, noteEnd } from './listener/linger.ts'
import { followTraffic } from './listener/traffic.ts'
import { watchStill } from './listener/watch-still.ts'
import { describeError } from './log.ts'
import { type Asker, problemAnswer } from './page-answer.ts'
import { inviteBody } from './request/expectation.ts'
import { mayLoseContent } from './request/lost-content.ts'
import { isOwnTarget } from './request/own-path.ts'
import { type ReadRequest, readRequest } from './request/read-request.ts'
import { isHandshake } from './request/web-socket-handshake.ts'
import { createOwnListener } from './routes.ts'

/** A listening front door. `close` lets requests in flight end, at most `DRAIN` ms. */
export type FrontDoor = { readonly address: string; close(): Promise<void> }

// In ms.
const DRAIN = 30_000
const PROXY_HEADER = 10_000

/** One request: read it, or refuse it; then stepgate's own app, or the gate. `head`: it's a handshake. */
function createDoor(context: Context) {
  const exchanges = new WeakMap<IncomingMessage, Exchange>()
  const answerOwn = createOwnListener(context, (incoming) => exchanges.get(incoming))

  return async function door(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    head?: Buffer,
  ): Promise<void> {
    const { socket, headers } = incoming
    // Over HTTP/2 a request has a stream to itself.
    const isAlone = streamOf(incoming) !== undefined
    // Read all the same: bytes that nobody reads would take back the answers before it.
    if (!isAlone && endsSoon(socket)) return void incoming.resume()
    // node:http loses bytes that come right behind an upgrade that nobody takes up.
    if (headers.upgrade !== undefined) noteEnd(socket)
    outgoing.shouldKeepAlive &&= headers.upgrade === undefined
    // node:http parses what came with the head behind this event: only then it has lost content or not.
    if (mayLoseContent(incoming)) await undefined
    const requestId = randomUUID()
    const asker = { incoming, outgoing, requestId }
    try {
      const read = readRequest(context, incoming, outgoing, requestId)
      if (read.kind === 'refused') {
        if (!isAlone) noteEnd(socket)
        context.countRequest('refused')
        logAccess(context, { ...asker, client: read.client, notes: emptyNotes('refused') })
        return writeAnswer(asker, await refuse(context, asker, read), true)
      }
      const exchange = head === undefined ? read.exchange : { ...read.exchange, head }
      logAccess(context, exchange)
      if (!isOwnTarget(exchange.target)) return await passGate(context, exchange)
      if (asksForAuth(exchange)) return await answerAuth(context, exchange)
      context.countRequest('own')
      outgoing.setHeader('X-Request-Id', requestId)
      inviteBody(incoming, outgoing)
      exchanges.set(incoming, exchange)
      await answerOwn(incoming, outgoing)
    } catch (error) {
      writeAnswer(asker, await errorAnswer(context, asker, error), !incoming.complete)
    }
  }
}

const PAGES = {
  400: 'address',
  405: 'method',
  413: 'body-size',
  414: 'url-length',
  431: 'header-size',
} as const

function refuse(
  { log, pages }: Context,
  asker: Asker,
  { status, reason, client }: Extract<ReadRequest, { kind: 'refused' }>,
): Promise<Answer> {
  const fields = { request_id: asker.requestId, client: client.address, reason }
  log.audit('request.denied', fields)
  const page = { reason: PAGES[status] }
  // RFC 6455 §4.4
  const headers = reason === 'websocket-version' ? { 'Sec-WebSocket-Version': '13' } : {}
  return problemAnswer(pages, asker, status, reason, 'bad-request', page, { headers })
}

/** Opens the front door; rejects when the address is taken or the certificate can't be read. */
export async function openFrontDoor(context: Context): Promise<FrontDoor> {
  const { config } = context
  const door = createDoor(context)
  const enter = (incoming: IncomingMessage, outgoing: ServerResponse, head?: Buffer) => {
    door(incoming, outgoing, head).catch((error: unknown) => {
      context.log.error('A request could not be answered', describeError(error))
      outgoing.destroy()
    })
  }
  const { server, close: endWatch } = createServer(config, context.log, (incoming, outgoing) =>
    enter(incoming, outgoing),
  )
  const traffic = followTraffic(server)
  answerClientErrors(server, traffic, context)
  limitConnections(server, { ...context, limit: config.limits.connectionsPerAddress })
  limitPipelining(server, traffic, context)
  /** Connections that node:http has let go of. */
  const taken = new WeakSet<Socket>()
  const enterOn = (socket: Socket, incoming: IncomingMessage, head?: Buffer) => {
    taken.add(socket)
    const outgoing = answerOnSocket(incoming, socket)
    if (outgoing !== undefined) enter(incoming, outgoing, head)
  }
  server.on('upgrade', (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    // Of anything else node:http would have kept the content.
    if (isHandshake(incoming)) enterOn(socket, incoming, head)
    else socket.destroy()
  })
  // Whether a body is wanted is for whoever reads it to say: node:http alone would invite each.
  // Another expectation is none (RFC 9110 §10.1.1); over HTTP/2 Node takes `100-Continue` for one.
  for (const event of ['checkContinue', 'checkExpectation']) {
    server.on(event, (incoming, outgoing) => server.emit('request', incoming, outgoing))
  }
  server.on('connect', (incoming: IncomingMessage, to: Socket | ServerResponse) => {
    // Over HTTP/2 it is a request as any other.
    if ('writeHead' in to) enter(incoming, to)
    else enterOn(to, incoming)
  })
  const outer = config.proxyProtocol
    ? acceptProxied(server, { ...context, timeout: PROXY_HEADER })
    : server
  if (config.listen.kind === 'tcp') {
    for (const each of new Set([server, outer])) dropGone(each)
  }
  const drain = prepareDrain(server, DRAIN, outer, taken, traffic)
  const address = await listen(outer, config.listen)
  // Whatever happens to it later, as when there are no more file descriptors, must end no process.
  outer.on('error', (error) => context.log.error('Listening failed', describeError(error)))
  const endStillWatch = watchStill(traffic, context)
  const close = () => {
    endWatch()
    context.streams.close()
    context.underWay.close()
    return drain().finally(endStillWatch)
  }
  return { address, close }
}
