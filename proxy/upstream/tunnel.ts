import type { Socket } from 'node:net'
import { closeFrame, type FramePosition, firstFrame, follow, isBetweenFrames } from './frames.ts'

/**
 * A WebSocket that is open: a client's connection and the application's, each handed what the other
 * one sends. The listeners are shared by all and find theirs by the socket, so that a tunnel costs
 * this object and nothing else.
 */
export type Tunnel = {
  readonly client: Socket
  readonly upstream: Socket
  /** What the client has been sent. */
  readonly frames: FramePosition
  /** Ticks until both ends are cut, whether or not they have said goodbye; 0 while it is open. */
  ticksLeft: number
  /** Nothing passes any more. */
  closing: boolean
  readonly onGone: (tunnel: Tunnel) => void
}

/** Its close code (RFC 6455 §7.4) and a reason in ASCII. */
export type Farewell = { readonly code: number; readonly reason: string }

const TUNNEL = Symbol('tunnel')
type End = Socket & { [TUNNEL]?: Tunnel }

// In ms; who has vanished without a word is noticed after this and ten probes, a second apart.
const KEEP_ALIVE = 60_000
const TICKS_TO_FLUSH = 60
const TICKS_TO_LEAVE = 2

/** Joins two connections; nothing passes yet. `onGone` is called once or twice when both are closed. */
export function joinSockets(
  client: Socket,
  upstream: Socket,
  onGone: (tunnel: Tunnel) => void,
): Tunnel {
  const frames = firstFrame()
  const tunnel: Tunnel = { client, upstream, frames, ticksLeft: 0, closing: false, onGone }
  for (const end of [client, upstream] as End[]) {
    end[TUNNEL] = tunnel
    end.setTimeout(0)
    end.setKeepAlive(true, KEEP_ALIVE)
    end.on('drain', onDrain).on('end', onEnd).on('error', onError).on('close', onClose)
  }
  return tunnel
}

/** Lets everything pass; `head` are bytes of the client that came with its handshake. */
export function openTunnel({ client, upstream }: Tunnel, head: Buffer): void {
  if (head.length > 0) upstream.write(head)
  client.on('data', onClientData).resume()
  upstream.on('data', onUpstreamData).resume()
}

/**
 * Ends a tunnel from here. Nothing passes any more; the client is told why if it is between two
 * frames, and else its connection ends: a close frame in the middle of another would be a part of it.
 */
export function closeTunnel(tunnel: Tunnel, { code, reason }: Farewell): void {
  if (tunnel.closing) return
  const { client, upstream } = tunnel
  tunnel.closing = true
  tunnel.ticksLeft = TICKS_TO_LEAVE
  // What still comes is read and thrown away.
  upstream.off('data', onUpstreamData).resume()
  client.off('data', onClientData).resume()
  upstream.destroySoon()
  if (client.writable && isBetweenFrames(tunnel.frames)) client.end(closeFrame(code, reason))
  else client.end()
}

/**
 * A tick of the clock for a tunnel that is ending; at its last both connections are cut. Whoever is
 * still to be handed something has more time than who only has to go.
 */
export function tickTunnel(tunnel: Tunnel): void {
  const { client, upstream } = tunnel
  if (tunnel.ticksLeft === 0) return
  const flushed = client.writableLength === 0 && upstream.writableLength === 0
  if (flushed && tunnel.ticksLeft > TICKS_TO_LEAVE) tunnel.ticksLeft = TICKS_TO_LEAVE
  if (--tunnel.ticksLeft > 0) return
  client.destroy()
  upstream.destroy()
}

function onClientData(this: End, chunk: Buffer): void {
  const tunnel = this[TUNNEL] as Tunnel
  if (!tunnel.upstream.write(chunk)) this.pause()
}

function onUpstreamData(this: End, chunk: Buffer): void {
  const tunnel = this[TUNNEL] as Tunnel
  follow(tunnel.frames, chunk)
  if (!tunnel.client.write(chunk)) this.pause()
}

function onDrain(this: End): void {
  peerOf(this).resume()
}

/** A WebSocket has no use for one direction alone (RFC 6455 §7.1.1): the other soon ends too. */
function onEnd(this: End): void {
  const tunnel = this[TUNNEL] as Tunnel
  if (tunnel.closing) return void this.destroy()
  tunnel.ticksLeft ||= TICKS_TO_FLUSH
  if (this === tunnel.upstream) tunnel.client.off('data', onClientData).resume()
  peerOf(this).end()
}

// 'close' comes next.
function onError(): void {}

function onClose(this: End): void {
  const tunnel = this[TUNNEL] as Tunnel
  const peer = peerOf(this)
  // Torn off: what the other one would still be sent has no end.
  if (!tunnel.closing && !this.readableEnded) peer.destroy()
  if (peer.destroyed) tunnel.onGone(tunnel)
}

function peerOf(end: End): Socket {
  const { client, upstream } = end[TUNNEL] as Tunnel
  return end === client ? upstream : client
}
