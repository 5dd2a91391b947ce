import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

const CHUNK = Buffer.alloc(64 * 1024, 'Payroll 2004. ')
const MAX_DOWNLOAD_BYTES = 10 * 1024 ** 3

/** Server-sent events, one every `interval` ms (500), until `count` or until the reader leaves. */
export function sendEvents(query: URLSearchParams, response: ServerResponse): void {
  const interval = readNumber(query, 'interval', 500)
  const count = readNumber(query, 'count', Number.POSITIVE_INFINITY)
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.flushHeaders()
  let sent = 0
  const timer = setInterval(() => {
    sent += 1
    response.write(`id: ${sent}\ndata: ${JSON.stringify({ tick: sent })}\n\n`)
    if (sent < count) return
    clearInterval(timer)
    response.end()
  }, interval)
  response.once('close', () => clearInterval(timer))
}

/** A file of `bytes` bytes, with its length, as fast as it is read. False when that is too much. */
export function sendDownload(query: URLSearchParams, response: ServerResponse): boolean {
  const bytes = readNumber(query, 'bytes', 1024 * 1024)
  if (bytes > MAX_DOWNLOAD_BYTES) return false
  response.strictContentLength = true
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': bytes,
    'content-disposition': 'attachment; filename="payslips.bin"',
  })
  // The reader may leave before the end: then there is nobody left to tell.
  pipeline(Readable.from(chunksOf(bytes)), response).catch(() => {})
  return true
}

/** Reads a body of any length without keeping it; answers its length and SHA-256 in hex. */
export async function receiveUpload(
  request: IncomingMessage,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    hash.update(chunk)
  }
  return { bytes, sha256: hash.digest('hex') }
}

/** A whole number that is not negative, from a query; `missing` where there is none. */
export function readNumber(query: URLSearchParams, name: string, missing: number): number {
  const value = query.get(name)
  return value !== null && /^\d{1,15}$/.test(value) ? Number(value) : missing
}

function* chunksOf(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= CHUNK.length) {
    yield left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK
  }
}
