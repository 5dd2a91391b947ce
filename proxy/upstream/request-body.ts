import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { endAfterAnswer, streamOf } from '../listener/http2-messages.ts'
import { raiseFault } from '../request/client-fault.ts'
import { expectsContinue } from '../request/expectation.ts'
import type { TrafficNotes } from './forward.ts'
import { noteSpent } from './spent-buffers.ts'

/**
 * A request's body as a client library may have it: it streams, pauses and ends like the request,
 * but destroying it doesn't touch the browser's connection. What is left is read and thrown away, so
 * that a response can still be delivered and the next request begins where this one ends.
 */
export type RequestBody = EventEmitter & {
  pause(): void
  resume(): void
  destroy(): void
  /** After its end: name, value, …; latin1. */
  trailers(): readonly string[]
  /** Marks a stream for client libraries; never called by them. */
  pipe(): never
}

/** Whether the body has no length that is known before its end. */
export function isChunked(incoming: IncomingMessage): boolean {
  const { headers } = incoming
  if (streamOf(incoming) === undefined) return headers['transfer-encoding'] !== undefined
  return headers['content-length'] === undefined && hasBody(incoming)
}

/** Whether a body follows, from the framing that the HTTP parser has accepted. */
export function hasBody(incoming: IncomingMessage): boolean {
  const stream = streamOf(incoming)
  if (stream !== undefined) return !stream.endAfterHeaders
  const { headers } = incoming
  if (headers['transfer-encoding'] !== undefined) return true
  const length = headers['content-length']
  return length !== undefined && Number(length) !== 0
}

/**
 * Wraps the body of `incoming`, which must not have been read yet; nothing is read before `resume`.
 * What is passed on is counted in `notes`; more than `limit` bytes are the client's fault.
 */
export function requestBody(
  incoming: IncomingMessage,
  notes: Pick<TrafficNotes, 'bytesIn'>,
  limit = Number.POSITIVE_INFINITY,
): RequestBody {
  incoming.pause()
  const stream = streamOf(incoming)
  const events = new EventEmitter()
  const body = Object.assign(events, {
    pause: () => void incoming.pause(),
    resume: () => void incoming.resume(),
    trailers: () => incoming.rawTrailers,
    destroy() {
      incoming.off('data', onData).off('end', onEnd)
      incoming.resume()
      if (stream !== undefined && expectsContinue(incoming)) endAfterAnswer(stream)
    },
    pipe(): never {
      throw new TypeError('A request body is read by its events')
    },
  })
  function onData(chunk: Buffer): void {
    if (notes.bytesIn + chunk.length > limit) return void raiseFault(incoming, 'body-size')
    notes.bytesIn += chunk.length
    noteSpent(chunk.length)
    events.emit('data', chunk)
  }
  function onEnd(): void {
    // Over HTTP/2 a request that was taken back ends as well, and its end must not look like one.
    if (stream?.closed !== true) events.emit('end')
  }
  incoming.on('data', onData).on('end', onEnd)
  return body
}
