import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'

/** A request as the application saw it. Texts are UTF-8, or Latin-1 where the bytes are not UTF-8. */
export type SeenRequest = {
  readonly method: string
  readonly url: string
  /** By lower-case name; an array where a header came more than once. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** Name, value, name, value, … exactly as received. */
  readonly rawHeaders: readonly string[]
  /** Empty where the body was streamed (`/upload`) or has not arrived whole. */
  readonly body: string
  readonly bytes: Buffer
  /** Whether the request arrived to its end, and was not too large to keep. */
  readonly complete: boolean
}

/** The requests of late, oldest first, bounded by number and by the bytes of their bodies. */
export type RequestLog = {
  /** Notes a request that has begun; the result fills in what comes later. */
  begin(request: IncomingMessage): (end: { bytes: Buffer; complete: boolean }) => SeenRequest
  list(): SeenRequest[]
}

const MAX_BODY_BYTES = 10 * 1024 * 1024

const MAX_REQUESTS = 1000
const MAX_STORED_BYTES = 5 * MAX_BODY_BYTES

export function createRequestLog(): RequestLog {
  const entries: { seen: SeenRequest }[] = []
  return {
    begin(request) {
      const entry = { seen: see(request) }
      entries.push(entry)
      if (entries.length > MAX_REQUESTS) entries.shift()
      return ({ bytes, complete }) => {
        entry.seen = { ...entry.seen, bytes, body: decodeText(bytes), complete }
        forgetOldest(entries)
        return entry.seen
      }
    },
    list: () => entries.map(({ seen }) => seen),
  }
}

/** The whole body; `undefined` when it is too large or was cut off. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length
      // Read on without keeping it: only who has sent everything listens for an answer.
      if (size <= MAX_BODY_BYTES) chunks.push(chunk)
    }
  } catch {
    return undefined
  }
  return size <= MAX_BODY_BYTES ? Buffer.concat(chunks) : undefined
}

function see(request: IncomingMessage): SeenRequest {
  const headers = new Map<string, string[]>()
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index]?.toLowerCase() ?? ''
    const value = decodeText(Buffer.from(request.rawHeaders[index + 1] ?? '', 'latin1'))
    headers.set(name, [...(headers.get(name) ?? []), value])
  }
  return {
    method: request.method ?? '',
    url: request.url ?? '',
    headers: Object.fromEntries(
      [...headers].map(([name, values]) => [name, values.length > 1 ? values : (values[0] ?? '')]),
    ),
    rawHeaders: request.rawHeaders,
    body: '',
    bytes: Buffer.alloc(0),
    complete: false,
  }
}

function forgetOldest(entries: { seen: SeenRequest }[]): void {
  let stored = entries.reduce((sum, { seen }) => sum + seen.bytes.length, 0)
  while (stored > MAX_STORED_BYTES) stored -= entries.shift()?.seen.bytes.length ?? 0
}

function decodeText(bytes: Buffer): string {
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1')
}
