import type { IncomingMessage } from 'node:http'
import {
  constants,
  Http2ServerRequest,
  Http2ServerResponse,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import type { ReadableOptions } from 'node:stream'
import { readFields } from './http2-fields.ts'

// node:http2 makes its messages of classes that it is given; there is no other seam.

/** A request over HTTP/2 that reads as one over HTTP/1.1: `host`, one `cookie`, no `:names`. */
export class PlainRequest extends Http2ServerRequest {
  /** Bytes of content that have come. */
  received = 0

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    options: ReadableOptions,
    rawHeaders: readonly string[],
  ) {
    super(stream, headers, options, rawHeaders)
    const fields = readFields(rawHeaders, headers)
    Object.defineProperties(this, {
      rawHeaders: { value: fields.rawHeaders },
      headers: { value: fields.headers },
    })
  }

  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    if (chunk !== null) this.received += chunk.length
    return super.push(chunk, encoding)
  }
}

/** The stream of a message over HTTP/2; undefined for one over HTTP/1.1. */
export function streamOf(message: IncomingMessage | undefined): ServerHttp2Stream | undefined {
  // Asked several times for each request. What says that it is 2.0 may still have come over HTTP/1.1.
  if (message === undefined || message.httpVersionMajor === 1) return undefined
  return message instanceof Http2ServerRequest ? message.stream : undefined
}

/** Gives up a request that does not come to its end, with what it came over. */
export function cutRequest(incoming: IncomingMessage): void {
  const stream = streamOf(incoming)
  if (stream === undefined) incoming.destroy()
  else stream.close(constants.NGHTTP2_CANCEL)
}

/**
 * Ends what a client still has open of a request once it has its answer (RFC 9113 §8.1), when nobody
 * reads what is left of its body, or it is not known whether one comes.
 */
export function endAfterAnswer(stream: ServerHttp2Stream): void {
  // node:http2 has trailers to send yet.
  const end = () => void setImmediate(() => stream.close())
  if (stream.writableFinished) end()
  else stream.once('finish', end)
}

type Headers = OutgoingHttpHeaders | readonly string[]

/** A response over HTTP/2 that leaves out what only HTTP/1.1 knows: reasons and connections. */
export class PlainResponse extends Http2ServerResponse<PlainRequest> {
  /** Bytes of content that the stream has been handed. */
  taken = 0

  override setHeader(name: string, value: number | string | readonly string[]): void {
    if (!CONNECTION_HEADERS.has(name.toLowerCase())) super.setHeader(name, value)
  }

  override writeHead(status: number, reason?: string | Headers, headers?: Headers): this {
    const given = headers ?? (typeof reason === 'string' ? {} : reason)
    return super.writeHead(status, withoutConnectionHeaders(given ?? {}))
  }

  // biome-ignore lint/suspicious/noExplicitAny: the overloads of node:http2 are many
  override write(chunk: any, ...rest: any[]): boolean {
    this.taken += Buffer.byteLength(chunk)
    return Reflect.apply(super.write, this, [chunk, ...rest])
  }

  /** Cuts the response off, so that no client takes it for complete; the connection goes on. */
  override destroy(error?: Error): this {
    if (!this.stream.closed) this.stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    super.destroy(error)
    return this
  }
}

// Node's own says nothing of the first, and takes a stream that was reset for finished.
Object.defineProperties(PlainResponse.prototype, {
  destroyed: {
    get(this: PlainResponse) {
      return this.stream.destroyed || this.stream.closed
    },
  },
  writableFinished: {
    get(this: PlainResponse) {
      const { writableFinished, aborted, rstCode } = this.stream
      return writableFinished && !aborted && !rstCode
    },
  },
})

/** What HTTP/2 has no use for (RFC 9113 §8.2.2); node:http2 throws on some of it. */
const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

function withoutConnectionHeaders(headers: Headers): OutgoingHttpHeaders {
  // Node takes a flat list too, which its types don't say of this one.
  if (!Array.isArray(headers)) return headers as OutgoingHttpHeaders
  const rest: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    if (!CONNECTION_HEADERS.has(headers[i].toLowerCase())) rest.push(headers[i], headers[i + 1])
  }
  return rest as unknown as OutgoingHttpHeaders
}
