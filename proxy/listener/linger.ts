import type { Socket } from 'node:net'

/** In ms. */
const LINGER = 2_000

/**
 * Makes the end of a connection gentle whose client is still sending: what it sends is read and thrown
 * away for a moment, as bytes that nobody reads would make the system take back the answer before
 * the client has it (RFC 9112 §9.6).
 */
export function endGently(socket: Socket): void {
  socket.destroySoon = () => {
    if (socket.writableEnded) return
    socket.end()
    const timer = setTimeout(() => socket.destroy(), LINGER).unref()
    socket.once('end', () => socket.destroy()).once('close', () => clearTimeout(timer))
  }
}
