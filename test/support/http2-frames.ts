import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'

/** Frame types and flags (RFC 9113 §6). */
export const FRAME = {
  DATA: 0,
  HEADERS: 1,
  RST_STREAM: 3,
  SETTINGS: 4,
  PING: 6,
  GOAWAY: 7,
  CONTINUATION: 9,
} as const
export const END_STREAM = 1
export const END_HEADERS = 4

/** A frame that has come. */
export type Frame = {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

/** A connection by HTTP/2 of which every frame is written by hand. */
export type FrameClient = {
  readonly socket: TLSSocket
  readonly frames: readonly Frame[]
  /** Resolves with the first frame that passes; with undefined when the connection ends without. */
  first(passes: (frame: Frame) => boolean): Promise<Frame | undefined>
  send(...frames: readonly Buffer[]): void
}

/** Connects to a loopback port and sends the preface and empty settings. */
export async function connectFrames(t: TestContext, port: number): Promise<FrameClient> {
  const options = { port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] }
  const socket = connect(options)
  t.after(() => socket.destroy())
  await once(socket, 'secureConnect')
  const frames: Frame[] = []
  let rest: Buffer = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.on('data', (piece: Buffer) => {
    rest = Buffer.concat([rest, piece])
    for (let size = sizeOf(rest); size !== undefined; size = sizeOf(rest)) {
      frames.push(parse(rest.subarray(0, size)))
      rest = rest.subarray(size)
    }
  })
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  socket.write(frame(FRAME.SETTINGS, 0, 0))
  return {
    socket,
    frames,
    first: (passes) =>
      new Promise((resolve) => {
        const check = () => {
          const found = frames.find(passes)
          if (found !== undefined) resolve(found)
        }
        socket.on('data', check)
        socket.on('close', () => {
          check()
          resolve(undefined)
        })
        check()
      }),
    send: (...list) => void socket.write(Buffer.concat(list)),
  }
}

const NONE = Buffer.alloc(0)

/** A frame as bytes. */
export function frame(type: number, flags: number, stream: number, payload: Buffer = NONE): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** A header block of literal fields, names and values as they are given (latin1; RFC 7541 §6.2.2). */
export function headerBlock(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]),
  )
}

/** A whole request without a body, with these fields beside or instead of the usual ones. */
export function requestFields(
  changes: Readonly<Record<string, string | undefined>> = {},
  more: readonly (readonly [string, string])[] = [],
): Buffer {
  const usual: Record<string, string | undefined> = {
    ':method': 'GET',
    ':scheme': 'https',
    ':authority': 'app.example.com',
    ':path': '/public/x',
    ...changes,
  }
  const fields = Object.entries(usual).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, value]],
  )
  return headerBlock([...fields, ...more])
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  const length = [127]
  let left = bytes.length - 127
  for (; left >= 128; left = Math.floor(left / 128)) length.push((left % 128) + 128)
  return Buffer.concat([Buffer.from([...length, left]), bytes])
}

function sizeOf(bytes: Buffer): number | undefined {
  if (bytes.length < 9) return undefined
  const size = 9 + bytes.readUIntBE(0, 3)
  return bytes.length < size ? undefined : size
}

function parse(bytes: Buffer): Frame {
  return {
    type: bytes.readUInt8(3),
    flags: bytes.readUInt8(4),
    stream: bytes.readUInt32BE(5),
    payload: bytes.subarray(9),
  }
}
