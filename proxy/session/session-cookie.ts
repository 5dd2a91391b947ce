import { type CookieSettings, clearCookie, readCookie, serializeCookie } from './cookies.ts'

/** The session needs more than four cookies: too many groups. */
export class SessionTooLargeError extends Error {
  readonly code = 'session_too_large'
  constructor(length: number) {
    super(
      `The session's cookie would have ${length} characters; the provider sends too many groups`,
    )
    this.name = 'SessionTooLargeError'
  }
}

// Name, value and attributes together (RFC 6265 §6.1).
const MAX_COOKIE = 4096
const MAX_CHUNKS = 4

// A long value is cut into NAME, NAME.1 … NAME.3. The first says how many belong together, so that
// what an earlier, longer one has left in the browser is not read: `3.` and a piece of the seal.
const CHUNKED = /^([2-4])\./

const chunkName = (name: string, index: number) => (index === 0 ? name : `${name}.${index}`)

/** The session's seal, put together again; undefined when there is none or a piece is missing. */
export function readSessionCookie(header: string | undefined, name: string): string | undefined {
  const first = readCookie(header, name)
  const count = first?.match(CHUNKED)?.[1]
  if (first === undefined || count === undefined) return first
  let sealed = first.slice(2)
  for (let index = 1; index < Number(count); index++) {
    const chunk = readCookie(header, chunkName(name, index))
    if (chunk === undefined) return undefined
    sealed += chunk
  }
  return sealed
}

/**
 * `Set-Cookie` values for a session's seal, and for the removal of pieces in `header` (the request's
 * Cookie header) that are no longer needed. Throws `SessionTooLargeError`.
 */
export function writeSessionCookie(
  name: string,
  sealed: string,
  header: string | undefined,
  settings: CookieSettings,
): string[] {
  const room = MAX_COOKIE - serializeCookie(chunkName(name, 1), '', settings).length
  const whole = sealed.length <= room
  const text = whole ? sealed : `${Math.ceil((sealed.length + 2) / room)}.${sealed}`
  const chunks = Array.from({ length: Math.ceil(text.length / room) }, (_, index) =>
    serializeCookie(chunkName(name, index), text.slice(index * room, (index + 1) * room), settings),
  )
  if (chunks.length > MAX_CHUNKS) throw new SessionTooLargeError(sealed.length)
  return [...chunks, ...clearChunks(name, chunks.length, header, settings)]
}

/** `Set-Cookie` values that remove the session's cookie and those of its pieces that are there. */
export function clearSessionCookie(
  name: string,
  header: string | undefined,
  settings: CookieSettings,
): string[] {
  return [clearCookie(name, settings), ...clearChunks(name, 1, header, settings)]
}

function clearChunks(
  name: string,
  from: number,
  header: string | undefined,
  settings: CookieSettings,
): string[] {
  const names = Array.from({ length: MAX_CHUNKS }, (_, index) => chunkName(name, index)).slice(from)
  return names
    .filter((chunk) => header?.includes(`${chunk}=`))
    .map((chunk) => clearCookie(chunk, settings))
}
