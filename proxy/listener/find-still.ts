import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { isInvited } from '../request/expectation.ts'
import { hasBody } from '../upstream/request-body.ts'
import type { PlainRequest, PlainResponse } from './http2-messages.ts'
import type { Traffic } from './traffic.ts'

/** What stands still because of its client: it sends no more of a body, or takes no more of a response. */
export type Still = {
  readonly kind: 'body-idle' | 'response-idle'
  /** The response that is concerned; absent for a WebSocket, or a handshake's refusal. */
  readonly response: ServerResponse | PlainResponse | undefined
  /** Of HTTP/1.1; absent over HTTP/2. */
  readonly socket: Socket | undefined
}

/** How far something had come that waits for its client. */
type Mark = { readonly kind: Still['kind']; readonly moved: number; readonly looks: number }

/**
 * What comes back looks at all that is under way and answers what has waited for its client, without
 * a byte either way, for so many looks. By looks, not by time: a process that itself stood still must
 * not blame anybody. A body that is paused waits for the application, and a response of which all is
 * flushed too.
 */
export function createStillFinder(traffic: Traffic, looks: number): () => Still[] {
  let before = new Map<object, Mark>()
  return () => {
    const now = new Map<object, Mark>()
    const still: Still[] = []
    const note = (key: object, kind: Still['kind'], moved: number, found: Still) => {
      const last = before.get(key)
      const same = last?.kind === kind && last.moved === moved
      const mark = { kind, moved, looks: same ? last.looks + 1 : 0 }
      now.set(key, mark)
      if (mark.looks >= looks) still.push(found)
    }
    for (const [socket, [response]] of traffic.connections) {
      const kind = waitsFor(socket.writableLength, response?.req)
      if (kind === undefined) continue
      const flushed = socket.bytesWritten - socket.writableLength
      const sending = response?.req.complete === false
      const moved = sending ? flushed + socket.bytesRead : flushed
      note(socket, kind, moved, { kind, response, socket })
    }
    for (const response of traffic.streams) {
      const { req, stream } = response
      const kind = waitsFor(stream.writableLength, req as unknown as IncomingMessage)
      if (kind === undefined) continue
      const moved = response.taken - stream.writableLength + (req as PlainRequest).received
      note(response, kind, moved, { kind, response, socket: undefined })
    }
    before = now
    return still
  }
}

function waitsFor(unsent: number, request: IncomingMessage | undefined): Still['kind'] | undefined {
  if (unsent > 0) return 'response-idle'
  return request !== undefined && isWanted(request) ? 'body-idle' : undefined
}

/** Whether somebody is reading a body that has not come to its end, and the client knows. */
function isWanted(request: IncomingMessage): boolean {
  return (
    !request.complete && request.readableFlowing === true && hasBody(request) && isInvited(request)
  )
}
