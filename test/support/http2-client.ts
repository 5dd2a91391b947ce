import { once } from 'node:events'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2'
import type { TestContext } from 'node:test'

/** How an exchange over HTTP/2 went. */
export type Http2Answer = {
  /** Undefined when the stream ended without an answer. */
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  /** Latin1. */
  readonly body: string
  /** Informational answers (1xx), in order. */
  readonly hints: readonly IncomingHttpHeaders[]
  /** 0 if the stream was not reset. */
  readonly reset: number
}

/** Connects to a loopback port by HTTP/2, whatever its certificate is. */
export async function connectHttp2(t: TestContext, port: number): Promise<ClientHttp2Session> {
  const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
  t.after(() => session.destroy())
  session.on('error', () => {})
  await once(session, 'connect')
  return session
}

/** Sends a request for `app.example.com`, with a body if there is one, and gathers the answer. */
export function ask(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: string,
): Promise<Http2Answer> {
  const stream = session.request(
    { ':authority': 'app.example.com', ...headers },
    { endStream: body === undefined },
  )
  if (body !== undefined) stream.end(body)
  return answerOf(stream)
}

/** Gathers the answer to a request that is under way. */
export function answerOf(stream: ClientHttp2Stream): Promise<Http2Answer> {
  return new Promise((resolve) => {
    const hints: IncomingHttpHeaders[] = []
    let headers: IncomingHttpHeaders = {}
    let body = ''
    stream.on('headers', (fields) => hints.push(fields))
    stream.on('response', (fields) => {
      headers = fields
    })
    stream.setEncoding('latin1').on('data', (piece) => {
      body += piece
    })
    stream.on('error', () => {})
    stream.on('close', () => {
      const status = headers[':status'] === undefined ? undefined : Number(headers[':status'])
      resolve({ status, headers, body, hints, reset: stream.rstCode ?? 0 })
    })
  })
}
