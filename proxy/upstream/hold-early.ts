import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** In bytes. */
const MOST = 64 * 1024

/**
 * Reads what a client sends behind its handshake while that waits for its answer, since of a socket that
 * nobody reads no end is seen. A client that sends more than a little is cut off: it has to wait
 * (RFC 6455 §4.1). What comes back stops that and answers what has come.
 */
export function holdEarly(socket: Socket, outgoing: ServerResponse): () => readonly Buffer[] {
  const pieces: Buffer[] = []
  let size = 0
  const hold = (piece: Buffer) => {
    // It is refused: nobody will want what is behind it.
    if (outgoing.headersSent) return
    size += piece.length
    if (size > MOST) socket.destroy()
    else pieces.push(piece)
  }
  socket.on('data', hold)
  return () => {
    socket.off('data', hold).pause()
    return pieces
  }
}
