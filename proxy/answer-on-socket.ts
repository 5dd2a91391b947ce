import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * The response to a handshake, whose connection node:http has let go of. Any but a 101 is the last
 * on its connection; what the client has sent behind the handshake is never read as a request.
 * Undefined when an earlier request on the connection is still being answered: a client may not ask
 * for another protocol before it has that answer (RFC 9110 §7.8), so the connection ends.
 */
export function answerOnSocket(
  incoming: IncomingMessage,
  socket: Socket,
): ServerResponse | undefined {
  // An error that nobody hears would end the process.
  socket.on('error', ignore)
  const outgoing = new ServerResponse(incoming)
  outgoing.shouldKeepAlive = false
  try {
    outgoing.assignSocket(socket)
  } catch {
    socket.destroy()
    return undefined
  }
  const onDrain = () => outgoing.emit('drain')
  socket.on('drain', onDrain).on('end', destroy)
  outgoing.once('finish', () => {
    socket.off('drain', onDrain)
    outgoing.detachSocket(socket)
    outgoing.emit('close')
    if (outgoing.statusCode !== 101) socket.resume().destroySoon()
  })
  return outgoing
}

/** Leaves a connection to whoever has taken it over. */
export function releaseSocket(socket: Socket): void {
  socket.off('end', destroy).off('error', ignore)
}

function ignore(): void {}

/** The client has left before it was answered. */
function destroy(this: Socket): void {
  this.destroy()
}
