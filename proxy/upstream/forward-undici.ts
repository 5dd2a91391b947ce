import type { Dispatcher } from 'undici'
import type { UpstreamAddress } from '../config/config.ts'
import { compileAnswerHeaders } from './answer-headers.ts'
import { type Dispatch, handlers, onClientClose } from './exchange-undici.ts'
import type { Forwarder, ForwardRequest } from './forward.ts'
import { createPool, type PoolOptions } from './pool-undici.ts'
import { hasBody, type RequestBody, requestBody } from './request-body.ts'

/** `ownCookieNames` are exact; the application may not set them, nor chunks of them (`name.1`). */
export type ForwarderOptions = PoolOptions & { readonly ownCookieNames: readonly string[] }

/** undici compares it for each request: one name, whatever Host a browser sends. */
const SERVER_NAME = 'upstream'

/**
 * The application over HTTP/1.1. `incoming` is only read if its framing headers announce a body, and
 * what the application leaves unread of it is discarded. Trailers are not passed on either way.
 * `forward` rejects only if the request can't be sent at all: target or headers were not prepared as
 * they must be. `close` waits for exchanges under way; closing the browsers' connections ends those.
 */
export function createForwarder(address: UpstreamAddress, options: ForwarderOptions): Forwarder {
  const pool = createPool(address, options)
  const answerHeaders = compileAnswerHeaders(options.ownCookieNames)
  return {
    forward: (request, incoming, outgoing, setCookies, notes) =>
      new Promise((resolve, reject) => {
        if (outgoing.destroyed) return resolve({ kind: 'client-gone' })
        const body = hasBody(incoming) ? requestBody(incoming, notes) : undefined
        const dispatch: Dispatch = {
          pool,
          options: dispatchOptions(request, body),
          answerHeaders,
          outgoing,
          setCookies,
          notes,
          began: performance.now(),
          body,
          resolve,
          reject,
          controller: undefined,
          status: 0,
          interim: 0,
          bytesCame: false,
          flowing: false,
          retried: false,
          settled: false,
          ...handlers,
        }
        outgoing.on('close', () => onClientClose(dispatch))
        pool.dispatch(dispatch.options, dispatch)
      }),
    close: () => pool.close(),
  }
}

function dispatchOptions(
  { method, target, headers }: ForwardRequest,
  body: RequestBody | undefined,
): Dispatcher.DispatchOptions & { servername: string } {
  return {
    method,
    path: target,
    headers: headers as string[],
    // undici asks no more of a stream than `RequestBody` has.
    body: (body ?? null) as Exclude<Dispatcher.DispatchOptions['body'], undefined>,
    servername: SERVER_NAME,
  }
}
