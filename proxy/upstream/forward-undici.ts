import type { IncomingMessage } from 'node:http'
import type { Dispatcher } from 'undici'
import type { Upstream } from '../config/config.ts'
import { onFault } from '../request/client-fault.ts'
import { expectsContinue } from '../request/expectation.ts'
import { compileAnswerHeaders } from './answer-headers.ts'
import { type Dispatch, handlers, onClientClose, onClientFault, send } from './exchange-undici.ts'
import type { Forwarder, ForwardRequest } from './forward.ts'
import { compileUpstreams } from './pick-upstream.ts'
import { hasBody, isChunked, type RequestBody, requestBody } from './request-body.ts'
import type { StreamRequest } from './stream-sender.ts'
import { onRequestUpgrade, type Upgrade } from './upgrade-undici.ts'
import { type GroupOptions, openUpstreams, type UpstreamGroup } from './upstream-group.ts'

/** `ownCookieNames` are exact; the application may not set them, nor chunks of them (`name.1`). */
export type ForwarderOptions = GroupOptions & {
  readonly ownCookieNames: readonly string[]
  /** Of a request's content, in bytes; absent: none. */
  readonly maxBody?: number
  /** Whether browsers are told not to keep the pages of sessions. */
  readonly forgetsPages?: boolean
}

/** undici compares it for each request: one name, whatever Host a browser sends. */
const SERVER_NAME = 'upstream'

/**
 * The applications over HTTP/1.1. `incoming` is only read if its framing headers announce a body, and
 * what the application leaves unread of it is discarded. A body without a length, or one that the
 * client sends only when it is asked for, has its head sent ahead. `forward` rejects only if the
 * request can't be sent at all: target or headers were not prepared as they must be. `close` waits
 * for exchanges under way; closing the browsers' connections ends those.
 */
export function createForwarder(
  upstreams: readonly Upstream[],
  options: ForwarderOptions,
): Forwarder {
  const { groups, check, close } = openUpstreams(upstreams, options)
  const pickUpstream = compileUpstreams(groups)
  const answerHeaders = compileAnswerHeaders(options.ownCookieNames)
  const prepare = (
    group: UpstreamGroup,
    request: ForwardRequest,
    body: RequestBody | undefined,
    stream: StreamRequest | undefined,
    {
      outgoing,
      setCookies,
      notes,
      open,
      resolve,
      reject,
    }: Pick<Dispatch, 'outgoing' | 'setCookies' | 'notes' | 'open' | 'resolve' | 'reject'>,
  ): Dispatch => ({
    group,
    address: undefined,
    options: dispatchOptions(request, body),
    stream,
    answerHeaders,
    judge: request.judge,
    mayBegin: request.mayBegin,
    forgetsPages: options.forgetsPages === true,
    body,
    // Spread in here they would cost as much as all the rest.
    outgoing,
    setCookies,
    notes,
    open,
    resolve,
    reject,
    began: performance.now(),
    controller: undefined,
    status: 0,
    bytesCame: false,
    flowing: false,
    interim: 0,
    retried: false,
    settled: false,
    ...handlers,
  })
  const begin = (dispatch: Dispatch) => {
    dispatch.outgoing.on('close', () => onClientClose(dispatch))
    send(dispatch)
  }
  return {
    forward: (request, incoming, outgoing, setCookies, notes, open) =>
      new Promise((resolve, reject) => {
        if (outgoing.destroyed) return resolve({ kind: 'client-gone' })
        const group = pickUpstream(request.hosts, request.paths)
        if (group === undefined) return resolve({ kind: 'no-upstream' })
        const body =
          request.content === undefined && hasBody(incoming)
            ? requestBody(incoming, notes, options.maxBody)
            : undefined
        const stream = body && streamRequest(request, incoming, body)
        const parts = { outgoing, setCookies, notes, open, resolve, reject }
        const dispatch = prepare(group, request, body, stream, parts)
        if (open !== undefined) open.sender = dispatch
        if (body !== undefined) onFault(incoming, (fault) => onClientFault(dispatch, fault))
        begin(dispatch)
      }),
    upgrade: (request, key, outgoing, setCookies, notes, open) =>
      new Promise((resolve, reject) => {
        if (outgoing.destroyed) return resolve({ kind: 'client-gone' })
        const group = pickUpstream(request.hosts, request.paths)
        if (group === undefined) return resolve({ kind: 'no-upstream' })
        const dispatch = prepare(group, request, undefined, undefined, {
          outgoing,
          setCookies,
          notes,
          open,
          resolve,
          reject,
        })
        const options = { ...dispatch.options, upgrade: 'websocket' }
        const upgrade: Upgrade = { ...dispatch, options, key, resolve, onRequestUpgrade }
        if (open !== undefined) open.sender = upgrade
        begin(upgrade)
      }),
    check,
    close,
  }
}

function dispatchOptions(
  { method, target, headers, content }: ForwardRequest,
  body: RequestBody | undefined,
): Dispatcher.DispatchOptions & { servername: string } {
  return {
    method,
    path: target,
    headers: headers as string[],
    // undici asks no more of a stream than `RequestBody` has.
    body: (body ?? content ?? null) as Exclude<Dispatcher.DispatchOptions['body'], undefined>,
    servername: SERVER_NAME,
  }
}

function streamRequest(
  { method, target, headers }: ForwardRequest,
  incoming: IncomingMessage,
  body: RequestBody,
): StreamRequest | undefined {
  const chunked = isChunked(incoming)
  const expects = expectsContinue(incoming)
  return chunked || expects ? { method, path: target, headers, body, chunked, expects } : undefined
}
