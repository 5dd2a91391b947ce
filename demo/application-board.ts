import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/** The notice board: what one visitor says over a WebSocket, all are told with the visitor's name. */
export type Board = {
  /** Answers a request to switch protocols: 101 at `/board`, 404 elsewhere. */
  take(request: IncomingMessage, socket: Socket, head: Buffer): void
  close(): void
}

/** One frame of a client, unmasked; or how many bytes are missing is not known yet: undefined. */
type Frame = { readonly opcode: number; readonly payload: Buffer; readonly rest: Buffer }

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const PROTOCOL = 'board.2004'
const [TEXT, CLOSE, PING, PONG] = [1, 8, 9, 10]

export function createBoard(): Board {
  const visitors = new Set<Socket>()
  return {
    take(request, socket, head) {
      socket.on('error', () => {}).on('close', () => visitors.delete(socket))
      if (request.url?.split('?', 1)[0] !== '/board' || request.headers.upgrade !== 'websocket') {
        socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
        return
      }
      const key = request.headers['sec-websocket-key']
      const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64')
      const offers = request.headers['sec-websocket-protocol']?.split(/, */).includes(PROTOCOL)
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          `Sec-WebSocket-Accept: ${accept}\r\n` +
          `${offers ? `Sec-WebSocket-Protocol: ${PROTOCOL}\r\n` : ''}\r\n`,
      )
      visitors.add(socket)
      const name = Buffer.from(String(request.headers['x-forwarded-user'] ?? 'Somebody'), 'latin1')
      let unread = head
      const read = () => {
        for (let frame = readFrame(unread); frame; frame = readFrame(unread)) {
          unread = frame.rest
          answerFrame(frame, socket, (text) => {
            const said = Buffer.concat([name, Buffer.from(': '), text])
            for (const visitor of visitors) visitor.write(frameOf(TEXT, said))
          })
        }
      }
      read()
      socket.on('data', (chunk: Buffer) => {
        unread = Buffer.concat([unread, chunk])
        read()
      })
    },
    close() {
      for (const visitor of visitors) visitor.destroy()
    },
  }
}

function answerFrame(
  { opcode, payload }: Frame,
  socket: Socket,
  say: (text: Buffer) => void,
): void {
  if (opcode === TEXT) say(payload.subarray(0, 100))
  if (opcode === PING) socket.write(frameOf(PONG, payload))
  if (opcode === CLOSE) socket.end(frameOf(CLOSE, payload))
}

/** The first frame of some bytes; notices are short, so whatever is longer ends the reading. */
function readFrame(bytes: Buffer): Frame | undefined {
  const [first = 0, second = 0] = bytes
  const length = second & 0x7f
  const end = 6 + length
  if (length > 125 || bytes.length < end) return undefined
  const mask = bytes.subarray(2, 6)
  const payload = Buffer.from(bytes.subarray(6, end).map((byte, at) => byte ^ (mask[at % 4] ?? 0)))
  return { opcode: first & 0x0f, payload, rest: bytes.subarray(end) }
}

function frameOf(opcode: number, payload: Buffer): Buffer {
  const head =
    payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 0xff]
  return Buffer.concat([Buffer.from([0x80 | opcode, ...head]), payload])
}
