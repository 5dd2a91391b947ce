import type { ServerResponse } from 'node:http'
import { mayTrailResponse } from './answer-headers.ts'
import { announcedTrailers, pickTrailers } from './trailers.ts'

/** Whether a response can have trailers towards this client: only one in chunks can (RFC 9112 §7.1.2). */
export function mayTrail({ req }: ServerResponse, status: number): boolean {
  return req.httpVersion !== '1.0' && req.method !== 'HEAD' && status !== 204 && status !== 304
}

/** Adds those of an application's trailers (name, value, …) that its response announced. */
export function addTrailers(
  outgoing: ServerResponse,
  rawHeaders: readonly Buffer[],
  rawTrailers: readonly Buffer[],
): void {
  const announced: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toString('latin1').toLowerCase() !== 'trailer') continue
    announced.push(
      ...announcedTrailers(rawHeaders[i + 1]?.toString('latin1') ?? '', mayTrailResponse),
    )
  }
  const trailers = pickTrailers(
    rawTrailers.map((text) => text.toString('latin1')),
    announced,
  )
  if (trailers !== undefined) outgoing.addTrailers(trailers)
}
