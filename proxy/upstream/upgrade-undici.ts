import type { IncomingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import { type Dispatch, release } from './exchange-undici.ts'
import type { UpgradeOutcome } from './forward.ts'
import { noteResponse } from './upstream-group.ts'
import { isAccepted } from './web-socket-accept.ts'

/** A handshake under way: an exchange that may end as a WebSocket. */
export type Upgrade = Omit<Dispatch, 'resolve'> & {
  readonly key: string
  readonly resolve: (outcome: UpgradeOutcome) => void
  readonly onRequestUpgrade: typeof onRequestUpgrade
}

/** The application has switched to what it takes for a WebSocket without having read the handshake. */
export class HandshakeError extends Error {
  readonly code = 'websocket_handshake'
  constructor() {
    super('The application has switched protocols without accepting the WebSocket')
    this.name = 'HandshakeError'
  }
}

/**
 * undici's handler for a 101; everything else comes as a response. The exchange with the address is
 * over then: a WebSocket that is open for hours, and mostly silent, must not keep requests away.
 */
export function onRequestUpgrade(
  this: Upgrade,
  controller: Dispatcher.DispatchController,
  _status: number,
  headers: IncomingHttpHeaders,
  socket: Duplex,
): void {
  const wanted = !this.settled
  this.settled = true
  if (wanted) release(this)
  // It lives, even if it can't shake hands.
  if (this.address !== undefined) noteResponse(this.group, this.address)
  if (!wanted || !isAccepted(headers, this.key)) {
    socket.destroy()
    this.resolve({ kind: 'invalid-response', error: new HandshakeError() })
    return
  }
  this.notes.upstreamMs = performance.now() - this.began
  const list = this.answerHeaders(controller.rawHeaders as Buffer[], 101, this.setCookies())
  this.resolve({ kind: 'switched', socket, headers: withoutFraming(list) })
}

/** A 101 has no body (RFC 9110 §8.6, RFC 9112 §6.1), whatever its headers say. */
function withoutFraming(list: readonly string[]): string[] {
  return list.filter((_, index) => list[index - (index % 2)]?.toLowerCase() !== 'content-length')
}
