import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import type { Session } from './session.ts'
import { readSessionCookie, writeSessionCookie } from './session-cookie.ts'

/**
 * The live session of a request, or undefined. It comes at once, without a promise, when its cookie
 * has been seen before and the provider need not be waited for.
 */
export function currentSession(
  { sessions, cookies, recheck }: Context,
  { incoming }: Pick<Exchange, 'incoming'>,
  now: number,
): Session | undefined | Promise<Session | undefined> {
  const value = readSessionCookie(incoming.headers.cookie, cookies.session)
  if (value === undefined) return undefined
  const known = sessions.peek(value, now)
  if (known === 'unknown') {
    return sessions
      .read(value, now)
      .then((session) => session && recheck.inForce(value, session, now))
  }
  return known && recheck.inForce(value, known, now)
}

/**
 * The live session of a request's cookie, whatever the provider says of it: for who ends it. While the
 * provider does not answer it may be alive again in a moment.
 */
export async function sessionToEnd(
  { sessions, cookies }: Context,
  { incoming }: Pick<Exchange, 'incoming'>,
  now: number,
): Promise<Session | undefined> {
  const value = readSessionCookie(incoming.headers.cookie, cookies.session)
  if (value === undefined) return undefined
  const known = sessions.peek(value, now)
  return known === 'unknown' ? sessions.read(value, now) : known
}

/** `Set-Cookie` values that give this session to the browser of a request. */
export async function sessionCookies(
  { sessions, cookies, config }: Context,
  { incoming }: Pick<Exchange, 'incoming'>,
  session: Session,
  now: number,
): Promise<readonly string[]> {
  const sealed = await sessions.seal(session, now)
  return writeSessionCookie(cookies.session, sealed, incoming.headers.cookie, config)
}
