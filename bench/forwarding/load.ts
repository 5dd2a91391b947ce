/**
 * A process of its own: the browsers. Requests are written to bare sockets as they stand and answers
 * are only measured, so that it costs a fraction of what it measures: on two cores it shares one with
 * the application, and must still keep the other busy. Each connection sends its next request when it
 * has its answer.
 */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { quantile } from '../codes/measure.ts'

/** What is to be sent, for so many ms or so many requests. */
export type Load = {
  readonly port: number
  /** Requests, each ready to be sent; they are taken in turn. A file of them, by `RECORD` apart. */
  readonly file: string
  readonly connections: number
  readonly ms?: number
  readonly requests?: number
  /** Bytes of a body that follows each. */
  readonly body?: number
}

/** What came of it; latencies in ms. */
export type Loaded = {
  readonly requests: number
  readonly ms: number
  readonly p50: number
  readonly p99: number
}

/** Between the requests of a file. */
export const RECORD = '\0'

const HEAD_END = Buffer.from('\r\n\r\n')
const PIECE = Buffer.alloc(64 * 1024, 'x')
const READ_SIZE = 64 * 1024

const files = new Map<string, readonly string[]>()

function requestsOf(file: string): readonly string[] {
  const known = files.get(file) ?? readFileSync(file, 'latin1').split(RECORD)
  files.set(file, known)
  return known
}

function run(load: Load): Promise<Loaded> {
  const requests = requestsOf(load.file)
  const latencies: number[] = []
  const sockets = new Set<Socket>()
  let sent = 0
  const began = performance.now()
  const until = load.ms === undefined ? Number.POSITIVE_INFINITY : began + load.ms
  const most = load.requests ?? Number.POSITIVE_INFINITY

  return new Promise((resolve, reject) => {
    const finish = () => {
      const ms = performance.now() - began
      const [p50, p99] = [quantile(latencies, 0.5), quantile(latencies, 0.99)]
      resolve({ requests: latencies.length, ms, p50, p99 })
    }

    function open(): void {
      /** Bytes of the answer that are yet to come; -1 while its head is not whole. */
      let left = -1
      let head: Buffer = Buffer.alloc(0)
      let asked = 0
      const fail = (why: string) => {
        for (const each of sockets) each.destroy()
        reject(new Error(`${why} on port ${load.port}`))
      }
      const next = () => {
        const now = performance.now()
        if (now >= until || sent >= most) {
          sockets.delete(socket)
          socket.destroy()
          if (sockets.size === 0) finish()
          return
        }
        asked = now
        socket.write(requests[sent++ % requests.length] as string, 'latin1')
        if (load.body !== undefined) sendBody(socket, load.body)
      }
      const take = (bytes: Buffer) => {
        if (left < 0) {
          const whole = head.length === 0 ? bytes : Buffer.concat([head, bytes])
          const end = whole.indexOf(HEAD_END)
          if (end < 0) {
            head = Buffer.from(whole)
            return
          }
          head = Buffer.alloc(0)
          const text = whole.toString('latin1', 0, end)
          const length = /^content-length: *(\d+)/im.exec(text)?.[1]
          if (!text.startsWith('HTTP/1.1 200 ') || length === undefined) return fail(text)
          left = Number(length) - (whole.length - end - HEAD_END.length)
        } else {
          left -= bytes.length
        }
        if (left > 0) return
        if (left < 0) return fail('More than one answer')
        left = -1
        latencies.push(performance.now() - asked)
        next()
      }
      const buffer = Buffer.allocUnsafe(READ_SIZE)
      const callback = (length: number) => {
        take(buffer.subarray(0, length))
        return true
      }
      const socket = connect({
        port: load.port,
        host: '127.0.0.1',
        noDelay: true,
        onread: { buffer, callback },
      })
      sockets.add(socket)
      socket.on('connect', next)
      socket.on('error', (error) => fail(error.message))
      socket.on('end', () => sockets.has(socket) && fail('A connection was closed'))
    }
    for (let i = 0; i < load.connections; i++) open()
  })
}

function sendBody(socket: Socket, length: number): void {
  let left = length
  const push = () => {
    while (left > 0) {
      const piece = left < PIECE.length ? PIECE.subarray(0, left) : PIECE
      left -= piece.length
      if (!socket.write(piece)) return
    }
    socket.off('drain', push)
  }
  socket.on('drain', push)
  push()
}

if (import.meta.main) {
  process.on('message', (load: Load) => {
    run(load).then(
      (loaded) => process.send?.(loaded),
      (error: Error) => process.send?.({ error: error.message }),
    )
  })
  process.once('disconnect', () => process.exit())
  process.once('SIGTERM', () => process.exit())
}
