import type { IncomingMessage } from 'node:http'
import { streamOf } from '../listener/http2-messages.ts'
import { type ClientFault, onFault } from '../request/client-fault.ts'
import { hasBody } from '../upstream/request-body.ts'
import type { Room } from './room.ts'

/** A request's content as a whole, or why it is not to be had. */
export type Content =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  /** More than the limit. */
  | { readonly kind: 'too-large' }
  /** Too much is being held for others. */
  | { readonly kind: 'no-room' }
  /** Somebody else has read it. */
  | { readonly kind: 'not-gathered' }
  /** It stands still, or the client has gone. */
  | { readonly kind: 'broken-off'; readonly fault?: ClientFault }

/** Content that is gathered while it comes, whoever else reads it. */
export type Gathering = {
  /** Settles with the end of the content, or as soon as it is known that it won't be had. */
  readonly content: Promise<Content>
  /** Gives back the room that it takes; nothing is gathered any more. */
  drop(): void
}

/** Of content that somebody else has read: nobody is known, for whom it would have been gathered. */
export const NOT_GATHERED: Gathering = {
  content: Promise.resolve({ kind: 'not-gathered' }),
  drop() {},
}

/** Of content that the application may have acted on already: it must not be sent again. */
export const PASSED_ON: Gathering = {
  content: Promise.resolve({ kind: 'broken-off' }),
  drop() {},
}

/**
 * Gathers the content of a request, at most `limit` bytes; the request must not have been read yet.
 * Whoever reads it, too, has to make it flow. `drop` has to be called in the end.
 */
export function gatherContent(incoming: IncomingMessage, limit: number, room: Room): Gathering {
  const { promise: content, resolve } = Promise.withResolvers<Content>()
  const { 'content-length': length = limit } = incoming.headers
  const most = Math.min(limit, Number(length))
  let bytes = Buffer.alloc(0)
  let size = 0
  let done = false
  // A listener makes it flow, unless it was told to wait.
  incoming.pause()

  const onData = (chunk: Buffer) => {
    const needed = size + chunk.length
    if (needed > limit) return end({ kind: 'too-large' })
    if (needed > bytes.length && !grow(needed)) return end({ kind: 'no-room' })
    size += chunk.copy(bytes, size)
  }
  // One buffer: kept one by one, chunks of a byte would take hundreds.
  const grow = (needed: number) => {
    const capacity = Math.max(needed, Math.min(2 * bytes.length, most))
    if (!room.take(capacity - bytes.length)) return false
    const larger = Buffer.allocUnsafeSlow(capacity)
    bytes.copy(larger, 0, 0, size)
    bytes = larger
    return true
  }
  const onEnd = () => {
    // Over HTTP/2 a request that was taken back ends as well.
    const whole = incoming.complete && streamOf(incoming)?.closed !== true
    end(whole ? { kind: 'whole', bytes: bytes.subarray(0, size) } : { kind: 'broken-off' })
  }
  const onClose = () => end({ kind: 'broken-off' })
  const end = (result: Content) => {
    incoming.off('data', onData).off('end', onEnd).off('close', onClose)
    resolve(result)
  }
  if (hasBody(incoming)) incoming.on('data', onData).on('end', onEnd).on('close', onClose)
  else end({ kind: 'whole', bytes: Buffer.alloc(0) })
  onFault(incoming, (fault) => end({ kind: 'broken-off', fault }))
  return {
    content,
    drop() {
      if (done) return
      done = true
      end({ kind: 'broken-off' })
      room.give(bytes.length)
      bytes = Buffer.alloc(0)
    },
  }
}
