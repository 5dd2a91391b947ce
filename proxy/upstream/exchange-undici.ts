import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import { errorCode } from '../error-code.ts'
import { noteEnd } from '../listener/linger.ts'
import type { ClientFault } from '../request/client-fault.ts'
import { inviteBody } from '../request/expectation.ts'
import type { AnswerHeaders } from './answer-headers.ts'
import { cutOff } from './cut-off.ts'
import { sendEarlyHints } from './early-hints.ts'
import type { ForwardOutcome, ForwardRequest, TrafficNotes } from './forward.ts'
import { failureOf, isLostConnection } from './forward-failure.ts'
import type { RequestBody } from './request-body.ts'
import { addTrailers, mayTrail } from './response-trailers.ts'
import { mustBeForgotten } from './session-page.ts'
import { noteSpent } from './spent-buffers.ts'
import type { StreamRequest } from './stream-sender.ts'
import type { OpenRequest } from './under-way.ts'
import {
  type Address,
  noteFailure,
  noteResponse,
  takeAddress,
  type UpstreamGroup,
} from './upstream-group.ts'

type Controller = Dispatcher.DispatchController

/**
 * One exchange under way, and undici's handler for it at once: the functions are shared by all
 * exchanges and find their state in `this`, so that a request costs one object.
 */
export type Dispatch = typeof handlers & {
  readonly group: UpstreamGroup
  /** Where it was sent to last. */
  address: Address | undefined
  readonly options: Dispatcher.DispatchOptions
  /** The same request if its head has to go ahead of its body. */
  readonly stream: StreamRequest | undefined
  readonly answerHeaders: AnswerHeaders
  readonly judge: ForwardRequest['judge']
  readonly mayBegin: ForwardRequest['mayBegin']
  /** Whether browsers are told not to keep the pages of sessions. */
  readonly forgetsPages: boolean
  readonly outgoing: ServerResponse
  readonly setCookies: () => readonly string[]
  readonly notes: TrafficNotes
  /** Present for a session's request. */
  readonly open: OpenRequest | undefined
  /** As `performance.now` says it. */
  readonly began: number
  readonly body: RequestBody | undefined
  readonly resolve: (outcome: ForwardOutcome) => void
  readonly reject: (error: Error) => void
  controller: Controller | undefined
  /** 0 until the response has begun for the client. */
  status: number
  /** Interim responses so far. */
  interim: number
  /** The application has sent something, if only part of a response. */
  bytesCame: boolean
  /** Some of the response has been handed to the client's connection. */
  flowing: boolean
  retried: boolean
  settled: boolean
}

/** Methods that may be sent again when it is unknown whether they arrived (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
/** Interim responses that an application may send; they come past backpressure and all timeouts. */
const MOST_INTERIM = 32
const NO_COOKIES: readonly string[] = []
const PLAIN_REASON = /^[\t -~]+$/
const UNSENDABLE = new Set([
  ...['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED'],
  ...['ERR_INVALID_CHAR', 'ERR_INVALID_HTTP_TOKEN', 'ERR_UNESCAPED_CHARACTERS'],
])

/** undici's handler functions, and what `OpenRequest` asks for; each exchange carries them. */
export const handlers = {
  onRequestStart,
  onContinue,
  onResponseStarted,
  onResponseStart,
  onResponseData,
  onResponseEnd,
  onResponseError,
  onSessionEnd,
}

/** Sends the request to an address of its upstream: the best one, or after a failure another. */
export function send(dispatch: Dispatch): void {
  const address = takeAddress(dispatch.group, dispatch.address)
  dispatch.address = address
  dispatch.notes.upstream = address.name
  if (dispatch.stream === undefined) address.pool.dispatch(dispatch.options, dispatch)
  else address.streams.dispatch(dispatch.stream, dispatch)
}

/** Ends the exchange with the application when the client has gone. */
export function onClientClose(dispatch: Dispatch): void {
  if (dispatch.settled) return
  dispatch.settled = true
  release(dispatch)
  dispatch.body?.destroy()
  dispatch.controller?.abort(new Error('The client went away'))
  dispatch.resolve({ kind: 'client-gone' })
}

/** Ends the exchange with the application when the rest of the client's body won't be passed on. */
export function onClientFault(dispatch: Dispatch, reason: ClientFault): void {
  giveUp(dispatch, new Error("The client's body was given up"), { kind: 'client-fault', reason })
}

/** Ends the exchange on both sides when the session that let it in is over. */
function onSessionEnd(this: Dispatch): void {
  giveUp(this, new Error('The session is over'), { kind: 'session-ended' })
}

function giveUp(dispatch: Dispatch, reason: Error, outcome: ForwardOutcome): void {
  if (dispatch.settled) return
  const { outgoing } = dispatch
  dispatch.settled = true
  release(dispatch)
  if (!outgoing.req.complete) noteEnd(outgoing.req.socket)
  dispatch.body?.destroy()
  dispatch.controller?.abort(reason)
  if (dispatch.status !== 0) cutOff(outgoing)
  dispatch.resolve(outcome)
}

/** The exchange is no longer under way at its address. */
export function release({ address }: Pick<Dispatch, 'address'>): void {
  if (address !== undefined) address.pending -= 1
}

function onRequestStart(this: Dispatch, controller: Controller): void {
  this.controller = controller
  if (this.settled) controller.abort(new Error('The client went away'))
  else this.notes.sent = true
}

function onContinue(this: Dispatch): void {
  if (!this.settled) inviteBody(this.outgoing.req, this.outgoing)
}

function onResponseStarted(this: Dispatch): void {
  this.bytesCame = true
}

function onResponseStart(
  this: Dispatch,
  controller: Controller,
  status: number,
  headers: IncomingHttpHeaders,
  reason?: string,
): void {
  if (status < 200) {
    this.interim += 1
    // 101 never comes here: undici ends the exchange when nobody asked for it.
    if (this.interim > MOST_INTERIM) controller.abort(new Error('Too many interim responses'))
    else if (status === 103) sendEarlyHints(this.outgoing, headers.link)
    return
  }
  this.notes.upstreamMs = performance.now() - this.began
  if (this.address !== undefined) noteResponse(this.group, this.address)
  if (status === 401 && isDemand(this, controller)) return
  if (this.mayBegin?.(status, headers.location) === false) {
    const setCookies = withhold(this, controller, status)
    this.resolve({ kind: 'withheld', setCookies })
    return
  }
  const cookies = mayBeShared(headers['cache-control']) ? NO_COOKIES : this.setCookies()
  const trailing = mayTrail(this.outgoing, status)
  const list = this.answerHeaders(controller.rawHeaders as Buffer[], status, cookies, trailing)
  if (this.open !== undefined) {
    if (isEndless(headers['content-type'])) this.open.watch(this.open)
    if (this.forgetsPages && mustBeForgotten(this.outgoing.req, headers, Date.now())) {
      list.push('Cache-Control', 'no-store')
    }
  }
  if (reason !== undefined && PLAIN_REASON.test(reason)) {
    this.outgoing.writeHead(status, reason, list)
  } else {
    this.outgoing.writeHead(status, list)
  }
  this.status = status
  process.nextTick(flushHead, this)
}

/** Whether a 401 asks for what the person can do here; the exchange is over then. */
function isDemand(dispatch: Dispatch, controller: Controller): boolean {
  const rawHeaders = controller.rawHeaders as Buffer[]
  const challenges = fieldsOf(rawHeaders, 'www-authenticate')
  const demand = challenges.length > 0 ? dispatch.judge(challenges) : undefined
  if (demand === undefined) return false
  const setCookies = withhold(dispatch, controller, 401)
  dispatch.resolve({ kind: 'demands', demand, setCookies })
  return true
}

/**
 * Ends an exchange whose response the client does not get, but for its cookies. Its connection is given
 * up too: its content, which nobody is to see, may have no end.
 */
function withhold(dispatch: Dispatch, controller: Controller, status: number): string[] {
  dispatch.settled = true
  release(dispatch)
  dispatch.body?.destroy()
  controller.abort(new Error('The client gets another answer'))
  const rawHeaders = controller.rawHeaders as Buffer[]
  const list = dispatch.answerHeaders(rawHeaders, status, dispatch.setCookies())
  return list.filter((_, at) => at % 2 === 1 && list[at - 1]?.toLowerCase() === 'set-cookie')
}

function fieldsOf(rawHeaders: readonly Buffer[], name: string): string[] {
  const fields: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toString('latin1').toLowerCase() !== name) continue
    fields.push((rawHeaders[i + 1] as Buffer).toString('latin1'))
  }
  return fields
}

/** A cache may keep `Set-Cookie` for the next person (RFC 9111 §7.3): the next response has it. */
function mayBeShared(cacheControl: string | undefined): boolean {
  return cacheControl !== undefined && /\bpublic\b|\bs-maxage\b/i.test(cacheControl)
}

/** Server-sent events, and pictures that replace one another, come for as long as somebody reads. */
function isEndless(contentType: string | undefined): boolean {
  return /^(?:text\/event-stream|multipart\/x-mixed-replace)\b/i.test(contentType ?? '')
}

/** A response may begin long before its first byte of content (server-sent events). */
function flushHead(dispatch: Dispatch): void {
  if (!dispatch.flowing && !dispatch.settled) dispatch.outgoing.flushHeaders()
}

function onResponseData(this: Dispatch, controller: Controller, chunk: Buffer): void {
  if (this.settled) return
  this.flowing = true
  this.notes.bytesOut += chunk.length
  noteSpent(chunk.length)
  if (this.outgoing.write(chunk)) return
  controller.pause()
  this.outgoing.once('drain', () => controller.resume())
}

function onResponseEnd(this: Dispatch, controller: Controller): void {
  if (this.settled) return
  this.settled = true
  release(this)
  const trailers = controller.rawTrailers as Buffer[] | null
  if (trailers !== null && trailers.length > 0 && mayTrail(this.outgoing, this.status)) {
    addTrailers(this.outgoing, controller.rawHeaders as Buffer[], trailers)
  }
  this.outgoing.end()
  this.resolve({ kind: 'answered', status: this.status })
}

function onResponseError(this: Dispatch, _controller: Controller, error: Error): void {
  if (this.settled) return
  const failure = failureOf(error, this.bytesCame)
  const unsendable = UNSENDABLE.has(errorCode(error) ?? '')
  // With a whole head of a response the address has answered, if only what the client can't be told.
  const answered = this.notes.upstreamMs !== undefined
  if (!answered && !unsendable && this.address !== undefined) {
    noteFailure(this.group, this.address, error)
  }
  if (!unsendable && mayRetry(this, error)) {
    this.retried = true
    // After the poll phase other connections that went away with this one are known to be gone.
    setImmediate(retry, this)
    return
  }
  this.settled = true
  release(this)
  this.body?.destroy()
  if (this.status !== 0) {
    cutOff(this.outgoing)
    this.resolve({ kind: 'cut-off', error })
  } else if (unsendable) {
    this.reject(error)
  } else {
    this.resolve(failure)
  }
}

function mayRetry(dispatch: Dispatch, error: Error): boolean {
  if (dispatch.retried || dispatch.bytesCame) return false
  // Nothing has left for the application, so that even a POST can't happen twice.
  if (dispatch.controller === undefined && dispatch.group.addresses.length > 1) return true
  return (
    dispatch.body === undefined &&
    IDEMPOTENT.has(dispatch.options.method) &&
    isLostConnection(error)
  )
}

function retry(dispatch: Dispatch): void {
  if (dispatch.settled) return
  release(dispatch)
  dispatch.controller = undefined
  send(dispatch)
}
