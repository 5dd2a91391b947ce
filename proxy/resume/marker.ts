import type { IncomingMessage } from 'node:http'

/** The one field of the form that sends a kept request on. */
export const MARKER_FIELD = 'stepgate-resume'

const BODY = new RegExp(`^${MARKER_FIELD}=([A-Za-z0-9_-]{43})$`)

/** In bytes: that of every marker, and by chance of some form of the application's. */
export const MARKER_LENGTH = MARKER_FIELD.length + 1 + 43

/** Whether the content of a request may be a marker, as far as its head tells. */
export function mayBeMarked({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'POST' &&
    headers['content-length'] === `${MARKER_LENGTH}` &&
    /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(headers['content-type'] ?? '')
  )
}

/** The id of the kept request that a body stands for; undefined for any other body. */
export function readMarker(body: Buffer): string | undefined {
  return BODY.exec(body.toString('latin1'))?.[1]
}
