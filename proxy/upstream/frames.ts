/**
 * Where a stream of WebSocket frames is (RFC 6455 §5.2), after all bytes so far. It is only looked
 * at: what passes is passed as it is.
 */
export type FramePosition = {
  /** Bytes of the present frame that are still to come, once its head is through. */
  left: number
  /** Bytes of its head that have come; 0 between frames. */
  headBytes: number
  /** What its head is long, as far as that is known. */
  headSize: number
  opcode: number
  masked: boolean
  /** A close frame has begun: nothing may follow it (§5.5.1). */
  closed: boolean
}

const CLOSE = 8

/** The position before the first byte. */
export function firstFrame(): FramePosition {
  return { left: 0, headBytes: 0, headSize: 2, opcode: 0, masked: false, closed: false }
}

/** Moves on by the bytes of a chunk. */
export function follow(position: FramePosition, chunk: Uint8Array): void {
  for (let at = 0; at < chunk.length; ) {
    if (position.headBytes === 0 && position.left > 0) {
      const step = Math.min(position.left, chunk.length - at)
      position.left -= step
      at += step
    } else {
      readHeadByte(position, chunk[at++] as number)
    }
  }
}

/** Whether a frame of ours may be sent now: between two frames, also of one message, and not after the last. */
export function isBetweenFrames({ left, headBytes, closed }: FramePosition): boolean {
  return left === 0 && headBytes === 0 && !closed
}

/** A close frame from a server; `reason` is ASCII of at most 123 characters. */
export function closeFrame(code: number, reason: string): Buffer {
  const frame = Buffer.alloc(4 + reason.length)
  frame.writeUInt8(0x80 | CLOSE, 0)
  frame.writeUInt8(2 + reason.length, 1)
  frame.writeUInt16BE(code, 2)
  frame.write(reason, 4, 'latin1')
  return frame
}

function readHeadByte(position: FramePosition, byte: number): void {
  position.headBytes++
  if (position.headBytes === 1) {
    position.opcode = byte & 0x0f
    position.headSize = 2
    return
  }
  if (position.headBytes === 2) {
    const length = byte & 0x7f
    position.masked = byte >= 0x80
    position.headSize = length === 126 ? 4 : length === 127 ? 10 : 2
    position.left = length < 126 ? length : 0
  } else {
    position.left = position.left * 256 + byte
  }
  if (position.headBytes < position.headSize) return
  position.headBytes = 0
  if (position.masked) position.left += 4
  if (position.opcode === CLOSE) position.closed = true
}
