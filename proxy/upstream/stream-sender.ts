import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http'
import type { Socket } from 'node:net'
import type { buildConnector, Dispatcher } from 'undici'
import type { UpstreamAddress } from '../config/config.ts'
import { connectTarget, MAX_HEADER_SIZE, type PoolOptions } from './pool-undici.ts'
import type { RequestBody } from './request-body.ts'
import { pickTrailers } from './trailers.ts'

/** A request whose head goes first. `chunked`: its body has no length; `expects`: it waits for a 100. */
export type StreamRequest = {
  readonly method: string
  readonly path: string
  readonly headers: readonly string[]
  readonly body: RequestBody
  readonly chunked: boolean
  readonly expects: boolean
}

/** `onContinue`: the application asks for the body, once; further times are interim responses. */
export type StreamHandler = Required<
  Pick<
    Dispatcher.DispatchHandler,
    | 'onRequestStart'
    | 'onResponseStarted'
    | 'onResponseStart'
    | 'onResponseData'
    | 'onResponseEnd'
    | 'onResponseError'
  >
> & { onContinue(): void }

/** What undici's HTTP/1.1 client can't send; see `createStreamSender`. */
export type StreamSender = { dispatch(request: StreamRequest, handler: StreamHandler): void }

type Controller = Dispatcher.DispatchController

/**
 * Sends what undici's HTTP/1.1 client can't: a head ahead of its body, `Expect: 100-continue`, and
 * trailers (decision 015). To its handler it behaves as undici does. Each request has a connection of
 * its own, which ends with it, so that a body that nobody wanted is never read as a request.
 */
export function createStreamSender(
  address: UpstreamAddress,
  connect: buildConnector.connector,
  options: PoolOptions,
): StreamSender {
  const target = connectTarget(address)
  return {
    dispatch(stream, handler) {
      let request: ClientRequest
      try {
        request = requestHttp({
          method: stream.method,
          path: stream.path,
          headers: headersOf(stream),
          maxHeaderSize: MAX_HEADER_SIZE,
          createConnection(_, done) {
            connect(target, (...[error, socket]) => done(error, socket as Socket))
            return undefined
          },
        })
      } catch (error) {
        handler.onResponseError(NO_CONTROLLER, error as Error)
        return
      }
      run(request, stream, handler, options)
    },
  }
}

// undici has none either for a request that was never sent, whatever its types say.
const NO_CONTROLLER = undefined as unknown as Controller

function headersOf({ headers, chunked, expects }: StreamRequest): string[] {
  const list = [...headers, 'Connection', 'close']
  if (chunked) list.push('Transfer-Encoding', 'chunked')
  if (expects) list.push('Expect', '100-continue')
  return list
}

function run(
  request: ClientRequest,
  { body, headers, expects }: StreamRequest,
  handler: StreamHandler,
  { headersTimeout, bodyTimeout }: PoolOptions,
): void {
  let response: IncomingMessage | undefined
  let controller = NO_CONTROLLER
  let settled = false
  let told = false
  let invited = !expects
  let bodyEnded = false

  const timer = setTimeout(onSilence, headersTimeout)
  function onSilence(): void {
    // It is the client that is slow, and a body may take as long as it likes.
    const client = invited && !bodyEnded && !request.writableNeedDrain
    if (response === undefined && client) timer.refresh()
    else fail(silence(response === undefined))
  }

  function fail(error: Error): void {
    if (settled) return
    settled = true
    clearTimeout(timer)
    // Of a head that was cut off node:http tells nothing else.
    const { socket } = request
    if (response === undefined && socket && !('encrypted' in socket) && socket.bytesRead > 0) {
      handler.onResponseStarted()
    }
    request.destroy()
    handler.onResponseError(controller, error)
  }

  function refuseSwitch(): void {
    handler.onResponseStarted()
    request.socket?.destroy()
    fail(coded('UND_ERR_SOCKET', 'The application has switched protocols unasked'))
  }

  request.on('error', fail)
  request.on('socket', () => {
    if (settled) return
    controller = controllerOf(() => response, fail)
    handler.onRequestStart(controller, null)
    if (settled) return
    // Not before: if there is no connection the body must be whole for another address.
    request.flushHeaders()
    request.on('drain', body.resume)
    body.on('data', onData).on('end', onEnd)
    body.resume()
  })
  request.on('information', ({ statusCode, statusMessage, headers: hints }) => {
    if (settled) return
    if (statusCode !== 100 || told) {
      handler.onResponseStart(controller, statusCode, hints, statusMessage)
      return
    }
    told = true
    invited = true
    timer.refresh()
    handler.onContinue()
  })
  request.on('upgrade', refuseSwitch)
  request.on('response', (begun) => {
    response = begun
    response.on('error', fail)
    if (settled) return
    // node:http takes a 101 without `Upgrade` for a response like others.
    if (begun.statusCode === 101) return refuseSwitch()
    clearTimeout(timer)
    controller.rawHeaders = buffersOf(begun.rawHeaders)
    handler.onResponseStarted()
    try {
      handler.onResponseStart(controller, begun.statusCode ?? 0, begun.headers, begun.statusMessage)
    } catch (error) {
      // As undici does: HTTP/2 has no status above 599.
      return fail(error as Error)
    }
    const idle = bodyTimeout > 0 ? setTimeout(onSilence, bodyTimeout) : undefined
    begun.on('data', (chunk: Buffer) => {
      idle?.refresh()
      if (!settled) handler.onResponseData(controller, chunk)
    })
    begun.on('close', () => {
      clearTimeout(idle)
      fail(coded('UND_ERR_SOCKET', 'The application has closed the connection'))
    })
    begun.on('end', () => {
      if (settled || !begun.complete) return
      settled = true
      controller.rawTrailers = buffersOf(begun.rawTrailers)
      handler.onResponseEnd(controller, begun.trailers)
      body.destroy()
      request.destroy()
    })
  })

  function onData(chunk: Buffer): void {
    if (settled) return
    invited = true
    if (response === undefined) timer.refresh()
    if (!request.write(chunk)) body.pause()
  }
  function onEnd(): void {
    if (settled) return
    bodyEnded = true
    if (response === undefined) timer.refresh()
    const trailers = pickTrailers(body.trailers(), announcedIn(headers))
    if (trailers !== undefined) request.addTrailers(trailers)
    request.end()
  }
}

function controllerOf(
  response: () => IncomingMessage | undefined,
  fail: (error: Error) => void,
): Controller {
  let reason: Error | null = null
  return {
    rawHeaders: null,
    rawTrailers: null,
    get aborted() {
      return reason !== null
    },
    get reason() {
      return reason
    },
    get paused() {
      return response()?.isPaused() === true
    },
    abort(error) {
      reason ??= error
      fail(error)
    },
    pause: () => void response()?.pause(),
    resume: () => void response()?.resume(),
  }
}

/** `rebuildHeaders` leaves in a `Trailer` header only what may pass. */
function announcedIn(headers: readonly string[]): readonly string[] {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === 'Trailer') return (headers[i + 1] as string).split(', ')
  }
  return []
}

function buffersOf(list: readonly string[]): Buffer[] {
  return list.map((text) => Buffer.from(text, 'latin1'))
}

function silence(beforeResponse: boolean): Error {
  return beforeResponse
    ? coded('UND_ERR_HEADERS_TIMEOUT', 'The application has not begun to answer in time')
    : coded('UND_ERR_BODY_TIMEOUT', 'The application has fallen silent')
}

/** With undici's codes, so that a failure is sorted the same way whoever has sent the request. */
function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
