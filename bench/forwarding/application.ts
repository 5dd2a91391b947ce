/**
 * A process of its own: the application behind each proxy. It speaks just enough HTTP/1.1 over bare
 * sockets to cost less than any proxy: one of node:http would take as much as the bare pipe.
 * `/small` is a small page, `/large` is `LARGE` bytes, and a body is counted and thanked for.
 */
import { createServer, type Socket } from 'node:net'
import { tellOrigin } from './tell-origin.ts'

/** Of a large body, in bytes. */
export const LARGE = 1_000_000_000

const CHUNK = Buffer.alloc(64 * 1024, 'x')
const HEAD_END = Buffer.from('\r\n\r\n')
const PAGE = JSON.stringify({ items: Array.from({ length: 9 }, (_, id) => ({ id, name: 'item' })) })

function headOf(type: string, length: number): string {
  const lines = [
    'HTTP/1.1 200 OK',
    'Date: Tue, 24 Nov 2026 12:00:00 GMT',
    `Content-Type: ${type}`,
    `Content-Length: ${length}`,
    'Cache-Control: no-cache',
    'ETag: "5f3c8d2a"',
    'Vary: Accept-Encoding',
    'Connection: keep-alive',
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

const SMALL = Buffer.from(headOf('application/json', PAGE.length) + PAGE)
const LARGE_HEAD = headOf('application/octet-stream', LARGE)

function sendLarge(socket: Socket): void {
  let left = LARGE
  const push = () => {
    while (left > 0) {
      const piece = left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK
      left -= piece.length
      if (!socket.write(piece)) return
    }
    socket.off('drain', push)
  }
  socket.on('drain', push)
  socket.write(LARGE_HEAD)
  push()
}

function serve(socket: Socket): void {
  let head: Buffer = Buffer.alloc(0)
  let body = 0
  socket.on('error', () => socket.destroy())
  socket.on('data', (bytes: Buffer) => {
    if (body > 0) {
      body -= bytes.length
      if (body === 0) socket.write(SMALL)
      return
    }
    head = head.length === 0 ? bytes : Buffer.concat([head, bytes])
    const end = head.indexOf(HEAD_END)
    if (end < 0) return
    const text = head.toString('latin1', 0, end)
    const length = /^content-length: *(\d+)/im.exec(text)
    if (length !== null) body = Number(length[1]) - (head.length - end - HEAD_END.length)
    head = Buffer.alloc(0)
    if (body > 0) return
    if (text.startsWith('GET /large')) sendLarge(socket)
    else socket.write(SMALL)
  })
}

if (import.meta.main) tellOrigin(createServer({ noDelay: true }, serve))
