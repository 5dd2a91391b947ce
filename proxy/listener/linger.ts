import type { Socket } from 'node:net'

/** In ms. */
const LINGER = 2_000

const ending = new WeakSet<Socket>()

/** Notes that a connection ends with an answer under way: what still comes is no request. */
export function noteEnd(socket: Socket): void {
  ending.add(socket)
}

/** Whether what comes over a connection is no longer read as requests. */
export function endsSoon(socket: Socket): boolean {
  return ending.has(socket)
}

/**
 * Makes the end of a connection gentle whose client is still sending: what it sends is read and thrown
 * away for a moment, as bytes that nobody reads would make the system take back the answer before
 * the client has it (RFC 9112 §9.6).
 */
export function endGently(socket: Socket): void {
  noteEnd(socket)
  socket.destroySoon = () => {
    if (socket.writableEnded) return
    socket.end()
    const timer = setTimeout(() => socket.destroy(), LINGER).unref()
    socket.once('end', () => socket.destroy()).once('close', () => clearTimeout(timer))
  }
}
